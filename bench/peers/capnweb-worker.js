import { workerData } from 'node:worker_threads';
import { newMessagePortRpcSession, RpcTarget } from 'capnweb';

class Adder extends RpcTarget {
  /**
   * @param {number} a
   * @param {number} b
   */
  add(a, b) {
    return a + b;
  }
}

newMessagePortRpcSession(workerData.port, new Adder());
