// The far end of bench/websocket.js: a program that lets whoever connects call its `add`.
import { accept } from 'offsite';
import { listen } from './floors/websocket.js';
import { add } from './site-module.js';

listen((socket) => {
  accept(socket, { main: { add } });
});
