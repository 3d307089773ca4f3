// A forked child that only says that it is there, and ends when its parent lets go.
process.send(0);
process.on('message', () => {});
