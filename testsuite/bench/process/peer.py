"""The same measurements with CPython's multiprocessing. Prints "row count seconds" per line."""
import multiprocessing as mp
import sys
import time


def send(w, n, size):
    message = b"x" * size
    for _ in range(n):
        w.send(message)


def echo(c):
    try:
        while True:
            c.send(c.recv())
    except EOFError:
        pass


def put(q, n, size):
    item = b"x" * size
    for _ in range(n):
        q.put(item)


def get(q, n):
    for _ in range(n):
        q.get()


def square(n):
    return n * n


def row(name, n, began):
    print(name, n, time.perf_counter() - began, flush=True)


def main(scale):
    for size, n in ((64, 100_000), (65536, 10_000)):
        n = max(n // scale, 10)
        r, w = mp.Pipe(False)
        p = mp.Process(target=send, args=(w, n + 1, size))
        p.start()
        r.recv()
        began = time.perf_counter()
        for _ in range(n):
            r.recv()
        row("pipe-%d" % size, n, began)
        p.join()

        q = mp.Queue()
        p = mp.Process(target=put, args=(q, n + 1, size))
        p.start()
        q.get()
        began = time.perf_counter()
        for _ in range(n):
            q.get()
        row("queue-from-child-%d" % size, n, began)
        p.join()

        q = mp.Queue()
        p = mp.Process(target=get, args=(q, n))
        p.start()
        began = time.perf_counter()
        put(q, n, size)
        p.join()
        row("queue-to-child-%d" % size, n, began)

    n = max(10_000 // scale, 10)
    a, b = mp.Pipe()
    p = mp.Process(target=echo, args=(b,))
    p.start()
    b.close()
    message = b"x" * 64
    a.send(message)
    a.recv()
    began = time.perf_counter()
    for _ in range(n):
        a.send(message)
        a.recv()
    row("round-trip", n, began)
    a.close()
    p.terminate()
    p.join()

    with mp.Pool(2) as pool:
        n = max(100_000 // scale, 10)
        pool.map(square, range(n))
        began = time.perf_counter()
        for _ in range(5):
            pool.map(square, range(n))
        row("pool-map", 5 * n, began)
        n = max(20_000 // scale, 10)
        began = time.perf_counter()
        for _ in pool.imap(square, range(n)):
            pass
        row("pool-imap", n, began)
        n = max(5_000 // scale, 10)
        began = time.perf_counter()
        for i in range(n):
            pool.apply(square, (i,))
        row("pool-apply", n, began)

    with mp.Manager() as manager:
        d = manager.dict()
        n = max(10_000 // scale, 10)
        began = time.perf_counter()
        for i in range(n):
            d["a"] = i
        row("dict-set", n, began)
        began = time.perf_counter()
        for i in range(n):
            d["a"]
        row("dict-get", n, began)


if __name__ == "__main__":
    mp.set_start_method("fork")
    main(int(sys.argv[1]))
