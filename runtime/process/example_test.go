package process_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

// The functions that other processes run are registered before main.
var (
	square = process.Register("example square", func(n int) (int, error) { return n * n, nil })
	greet  = process.Register("example greet", func(c *process.Conn[string]) (int, error) {
		n := 0
		for name := range c.All() {
			if err := c.Send("hello, " + name); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
	produce = process.Register("example produce", func(q *process.Queue[string]) (int, error) {
		for _, item := range []string{"one", "two", "three"} {
			if err := q.Put(item); err != nil {
				return 0, err
			}
		}
		return 3, q.Close()
	})
	crash   = process.Register("example crash", func(int) (int, error) { os.Exit(3); return 0, nil })
	length  = process.Register("example length", func(s string) (int, error) { return len(s), nil })
	joined  = process.Register2("example join", func(s, t string) (string, error) { return s + t, nil })
	deposit = process.Register("example deposit", func(a account) (int, error) {
		for range 100 {
			err := a.Lock.With(func(bool) error {
				balance, err := a.Balance.Get()
				if err != nil {
					return err
				}
				return a.Balance.Set(balance + 1)
			})
			if err != nil {
				return 0, err
			}
		}
		return 100, nil
	})
	number = process.Register("example number", func(tickets *process.Service[string, int]) (int, error) {
		return tickets.Call("a ticket, please")
	})
	readAll = process.Register("example read all", func(f *process.File) (string, error) {
		defer f.Close()
		b, err := io.ReadAll(f)
		return string(b), err
	})
	fill = process.Register("example fill", func(m *process.SharedMemory) (int, error) {
		b, err := m.Bytes()
		if err != nil {
			return 0, err
		}
		return copy(b, "written elsewhere"), nil
	})
	register = process.Register("example register", func(a registry) (int, error) {
		if err := a.Squares.Set(a.N, a.N*a.N); err != nil {
			return 0, err
		}
		return 0, a.Names.Append(fmt.Sprintf("process %d", a.N))
	})
)

type account struct {
	Lock    *process.Lock
	Balance *process.Value[int]
}

type registry struct {
	Squares *process.Dict[int, int]
	Names   *process.List[string]
	N       int
}

// example runs fn as a task. A program does that by process.Main.
func example(fn func() error) {
	if err := runtime.Default().Run(fn); err != nil {
		log.Fatal(err)
	}
}

func ExampleStart() {
	example(func() error {
		p, err := process.Start(square, 7)
		if err != nil {
			return err
		}
		fmt.Println(p.Result())
		fmt.Println(p.ExitCode())
		return nil
	})
	// Output:
	// 49 <nil>
	// 0 true
}

func ExampleProcess() {
	example(func() error {
		p := process.New(crash, 1, process.Named("fragile"), process.Daemon())
		fmt.Println(p.Name(), p.Alive(), p.Join())
		if err := p.Start(); err != nil {
			return err
		}
		_, err := p.Result()
		var died *process.WorkerDiedError
		fmt.Println(errors.As(err, &died), died.ExitCode)
		return nil
	})
	// Output:
	// fragile false process: not started
	// true 3
}

func ExamplePipe() {
	example(func() error {
		ours, theirs, err := process.Pipe[string]()
		if err != nil {
			return err
		}
		p, err := process.Start(greet, theirs) // theirs moves to the process
		if err != nil {
			return err
		}
		for _, name := range []string{"Ada", "Grace"} {
			if err := ours.Send(name); err != nil {
				return err
			}
			fmt.Println(ours.Recv())
		}
		if err := ours.Out.Close(); err != nil { // the end of file for the other side
			return err
		}
		fmt.Println(p.Result())
		_, err = ours.Recv()
		fmt.Println(err == io.EOF)
		return ours.In.Close()
	})
	// Output:
	// hello, Ada <nil>
	// hello, Grace <nil>
	// 2 <nil>
	// true
}

func ExampleQueue() {
	example(func() error {
		q, err := process.NewQueue[string](process.Here, 0)
		if err != nil {
			return err
		}
		if _, err := process.Start(produce, q); err != nil {
			return err
		}
		for item := range q.All() { // until it is closed and empty
			fmt.Println(item)
		}
		return q.Remove()
	})
	// Output:
	// one
	// two
	// three
}

func ExampleJoinable() {
	example(func() error {
		q, err := process.NewJoinable[int](process.Here, 0)
		if err != nil {
			return err
		}
		for i := range 3 {
			if err := q.Put(i); err != nil {
				return err
			}
		}
		runtime.Spawn(func() {
			for item := range q.All() {
				fmt.Println("done with", item)
				_ = q.Done()
			}
		})
		fmt.Println(q.Join())
		return q.Remove()
	})
	// Output:
	// done with 0
	// done with 1
	// done with 2
	// <nil>
}

func ExampleManager() {
	example(func() error {
		m, err := process.StartManager()
		if err != nil {
			return err
		}
		squares, err := process.NewDict[int, int](m)
		if err != nil {
			return err
		}
		names, err := process.NewList[string](m)
		if err != nil {
			return err
		}
		for n := range 3 {
			p, err := process.Start(register, registry{squares, names, n})
			if err != nil {
				return err
			}
			if _, err := p.Result(); err != nil {
				return err
			}
		}
		fmt.Println(names.All())
		fmt.Println(squares.Get(2))
		_, err = squares.Get(5)
		fmt.Println(err)
		return m.Shutdown()
	})
	// Output:
	// [process 0 process 1 process 2] <nil>
	// 4 <nil>
	// process: not found
}

func ExampleLock() {
	example(func() error {
		l, err := process.NewLock(process.Here)
		if err != nil {
			return err
		}
		balance, err := process.NewValue(process.Here, 0)
		if err != nil {
			return err
		}
		a, err := process.Start(deposit, account{l, balance})
		if err != nil {
			return err
		}
		b, err := process.Start(deposit, account{l, balance})
		if err != nil {
			return err
		}
		_, err = a.Result()
		_, err2 := b.Result()
		fmt.Println(err, err2)
		fmt.Println(balance.Get())
		return errors.Join(l.Close(), balance.Close())
	})
	// Output:
	// <nil> <nil>
	// 200 <nil>
}

func ExampleDict_Modify() {
	example(func() error {
		d, err := process.NewDict[string, []string](process.Here)
		if err != nil {
			return err
		}
		for _, name := range []string{"Ada", "Grace"} {
			// A change of a part is a change of the whole, which nobody else can undo.
			err := d.Modify("names", func(names []string, _ bool) ([]string, error) {
				return append(names, name), nil
			})
			if err != nil {
				return err
			}
		}
		fmt.Println(d.Get("names"))
		return d.Close()
	})
	// Output: [Ada Grace] <nil>
}

func ExampleNamespace() {
	example(func() error {
		ns, err := process.NewNamespace(process.Here)
		if err != nil {
			return err
		}
		if err := process.SetAttr(ns, "limit", 10); err != nil {
			return err
		}
		if err := process.SetAttr(ns, "hosts", []string{"a", "b"}); err != nil {
			return err
		}
		fmt.Println(process.Attr[int](ns, "limit"))
		fmt.Println(process.Attr[[]string](ns, "hosts"))
		fmt.Println(ns.Names())
		return ns.Close()
	})
	// Output:
	// 10 <nil>
	// [a b] <nil>
	// [limit hosts] <nil>
}

func ExamplePool() {
	example(func() error {
		p, err := process.NewPool(2)
		if err != nil {
			return err
		}
		fmt.Println(process.Apply(p, square, 5))
		fmt.Println(process.Map(p, length, strings.Fields("a few words here")))
		fmt.Println(process.StarMap(p, joined, maps.All(map[string]string{"star": "map"})))

		_, err = process.Apply(p, crash, 1) // fails that job; its worker is replaced
		fmt.Println(err != nil)
		fmt.Println(p.Join())
		p.Close()
		return p.Join()
	})
	// Output:
	// 25 <nil>
	// [1 3 5 4] <nil>
	// [starmap] <nil>
	// true
	// process: still running
}

func ExampleApplyAsync() {
	example(func() error {
		p, err := process.NewPool(1)
		if err != nil {
			return err
		}
		called := make(chan int, 1)
		r, err := process.ApplyAsync(p, square, 4)
		if err != nil {
			return err
		}
		r.OnSuccess(func(n int) { called <- n }) // in a task of its own
		fmt.Println(r.Get())
		fmt.Println(runtime.Await(func() (int, error) { return <-called, nil }))
		p.Terminate()
		return p.Join()
	})
	// Output:
	// 16 <nil>
	// 16 <nil>
}

func ExampleIMap() {
	example(func() error {
		p, err := process.NewPool(2)
		if err != nil {
			return err
		}
		for n, err := range process.IMap(p, 10, slices.Values([]int{1, 2, 3, 4}), square) {
			fmt.Println(n, err)
		}
		p.Close()
		return p.Join()
	})
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
	// 16 <nil>
}

func ExampleSharedMemory() {
	example(func() error {
		m, err := process.NewSharedMemory(4096)
		if err != nil {
			return err
		}
		p, err := process.Start(fill, m)
		if err != nil {
			return err
		}
		n, err := p.Result()
		if err != nil {
			return err
		}
		b, err := m.Bytes()
		if err != nil {
			return err
		}
		fmt.Println(string(b[:n]))
		return m.Close()
	})
	// Output: written elsewhere
}

// An object of one's own: its state is in one process, and needs no lock between them.
func ExampleService() {
	err := runtime.Default().Run(func() error {
		last := 0
		tickets := process.NewService(func(process.Client, string) (int, error) {
			last++
			return last, nil
		}, nil)
		for range 3 {
			p, err := process.Start(number, tickets)
			if err != nil {
				return err
			}
			n, err := p.Result()
			if err != nil {
				return err
			}
			fmt.Println("ticket", n)
		}
		return tickets.Close()
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// ticket 1
	// ticket 2
	// ticket 3
}

// An open file goes to another process.
func ExampleFile() {
	err := runtime.Default().Run(func() error {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		p, err := process.Start(readAll, &process.File{File: r})
		if err != nil {
			return err
		}
		_ = r.Close() // the other process has its own
		if _, err := fmt.Fprint(w, "hello"); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		text, err := p.Result()
		fmt.Println(text)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: hello
}
