// The far end of bench/websocket.js: a program that lets whoever connects call its `add`.
import { coming } from './coming.js';
import { listen } from './floors/websocket.js';
import { add } from './site-module.js';

listen((socket) => {
  coming.connect?.(socket, { main: { add } }).catch((cause) => {
    console.error('A caller could not be connected:', cause);
  });
});
