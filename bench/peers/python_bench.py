# multiprocessing.Pool or dask.distributed: reads a line of JSON for each round, answers with its microseconds.
import json
import sys
import time


def twice(x):
    return 2 * x


def compute(milliseconds):
    end = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < end:
        pass
    return milliseconds


class OfPool:
    def __init__(self, workers):
        from multiprocessing import Pool

        self.pool = Pool(workers)

    def apply(self, f, x):
        return self.pool.apply(f, (x,))

    def map(self, f, xs, even):
        # Uneven elements one by one, which is the best that a pool can do for them.
        return self.pool.map(f, xs) if even else self.pool.map(f, xs, chunksize=1)

    def each(self, f, xs):
        for result in [self.pool.apply_async(f, (x,)) for x in xs]:
            result.get()

    def close(self):
        self.pool.terminate()


class OfDask:
    def __init__(self, workers):
        from distributed import Client

        self.client = Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)

    def apply(self, f, x):
        return self.client.submit(f, x, pure=False).result()

    def map(self, f, xs, even):
        return self.client.gather(self.client.map(f, xs, pure=False))

    def each(self, f, xs):
        self.client.gather([self.client.submit(f, x, pure=False) for x in xs])

    def close(self):
        self.client.close()


def main():
    peer = (OfPool if sys.argv[1] == "pool" else OfDask)(int(sys.argv[2]))
    peer.apply(twice, 1)
    print("ready", flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        start = time.perf_counter()
        if ask["do"] == "apply":
            for i in range(ask["count"]):
                peer.apply(twice, i)
        elif ask["do"] == "each":
            peer.each(twice, range(ask["count"]))
        elif ask["do"] == "map":
            peer.map(twice, range(ask["count"]), True)
        else:
            peer.map(compute, ask["elements"], False)
        print((time.perf_counter() - start) * 1e6, flush=True)
    peer.close()


if __name__ == "__main__":
    main()
