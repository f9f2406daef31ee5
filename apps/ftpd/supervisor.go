package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	goruntime "runtime"
	"sync"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

// A supervisor is the parent of the processes that serve. It serves nobody: it holds the
// ports and the desk, starts the processes, and puts another in the place of each that ends.
type supervisor struct {
	// immutable
	o          *options
	log        *slog.Logger
	access     access
	ports      []port
	desk       *desk
	balance    *balance
	processors int // of each process

	quit  chan struct{} // closed when it stops
	up    chan int      // gets the number of each process that serves
	fatal chan error    // gets why the server can't go on

	mu       sync.Mutex // held for a few instructions, and a message
	running  map[int]running
	stopping bool
	hurried  bool
	cut      error // of a process that had to cut off transfers
}

// running is one process.
type running struct {
	p      *process.Running[struct{}]
	orders *process.Sender[order]
}

// A process that ends sooner than steadyTime after its start has failed. After mostFailures
// of one number in a row the server ends; until then it waits, at first firstPause, before it
// tries again.
const (
	steadyTime   = 10 * time.Second
	mostFailures = 5
	firstPause   = 100 * time.Millisecond
)

// supervise serves by several processes, until a signal or an error.
func supervise(o *options, cfg server.Config, a access, ports []port, signals, hups <-chan os.Signal, stdout io.Writer) error {
	trial, err := server.New(cfg) // tells what is wrong with it
	if err != nil {
		return byFlag(err)
	}
	if err := trial.Close(); err != nil {
		return err
	}
	if err := checkProcesses(o, cfg, a); err != nil {
		return err
	}
	processors := o.workers
	if processors == 0 {
		processors = max(goruntime.GOMAXPROCS(0)/o.processes, 1)
	}
	goruntime.GOMAXPROCS(1) // the parent has little to do
	b := newBalance()
	sv := &supervisor{
		o: o, log: cfg.Logger, access: a, ports: ports,
		desk:       openDesk(server.NewRegister(cfg), b),
		balance:    b,
		processors: processors,
		quit:       make(chan struct{}),
		up:         make(chan int),
		fatal:      make(chan error, o.processes),
		running:    make(map[int]running),
	}
	defer process.Shutdown()
	var all sync.WaitGroup
	for n := range o.processes {
		all.Go(func() { sv.keep(n + 1) })
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	return sv.watch(ended, signals, hups, func() {
		a.print(stdout, o, ports[0].addr)
		go removeStale(cfg)
	})
}

// checkProcesses returns what several processes can't do.
func checkProcesses(o *options, cfg server.Config, a access) error {
	r := cfg.PassivePorts
	switch {
	case o.processes <= 1:
	case a.quota:
		return errors.New("-processes: not together with quotas, which each process would count for itself")
	case o.sharedPorts && int(r.Hi)-int(r.Lo)+1 < o.processes:
		return fmt.Errorf("-shared-ports: %d processes divide the ports among them, %s are too few", o.processes, r)
	}
	return nil
}

// watch passes signals on until all processes have ended. serving is called when all serve.
func (sv *supervisor) watch(ended <-chan struct{}, signals, hups <-chan os.Signal, serving func()) error {
	var failure error
	up := make(map[int]bool)
	for {
		select {
		case n := <-sv.up:
			if up[n] = true; len(up) == sv.o.processes && serving != nil {
				serving()
				serving = nil
			}
		case <-sv.balance.changed:
			sv.weigh()
		case <-hups:
			if sv.access.cert.reload(sv.log) {
				sv.tell(order{What: reload, Pair: sv.access.cert.pem()})
			}
		case s := <-signals:
			sv.log.Info("shutting down", slog.String("signal", s.String()), slog.Duration("drain", sv.o.drain))
			sv.stop()
		case err := <-sv.fatal:
			if failure == nil {
				failure = err // the others' is the same, or comes of it
			}
			sv.stop()
			sv.stop()
		case <-ended:
			sv.mu.Lock()
			defer sv.mu.Unlock()
			return errors.Join(failure, sv.cut)
		}
	}
}

// stop makes all processes end: gracefully, and the second time at once.
func (sv *supervisor) stop() {
	sv.mu.Lock()
	first := !sv.stopping
	sv.stopping = true
	if !first {
		sv.hurried = true
	}
	sv.mu.Unlock()
	if !first {
		sv.tell(order{What: hurry})
		return
	}
	close(sv.quit)
	closePorts(sv.ports)
	sv.tell(order{What: stop})
	time.AfterFunc(sv.o.drain+endGrace+killGrace, func() { // whatever it is that hangs
		sv.mu.Lock()
		defer sv.mu.Unlock()
		for _, r := range sv.running {
			_ = r.p.Kill()
		}
	})
}

// weigh closes the doors of processes with many sessions, and opens others.
func (sv *supervisor) weigh() {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	for number, closed := range sv.balance.moves() {
		o := order{What: openDoor}
		if closed {
			o.What = closeDoor
		}
		if r, ok := sv.running[number]; ok {
			r.tell(o)
		}
	}
}

// tell gives an order to all processes.
func (sv *supervisor) tell(what order) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	for _, r := range sv.running {
		r.tell(what)
	}
}

// tell gives an order. One that does not listen is killed in the end.
func (r running) tell(what order) {
	_ = r.orders.SendUntil(what, runtime.Now().Add(time.Second))
}

// keep sees to it that there is a process of a number, until the server stops.
func (sv *supervisor) keep(number int) {
	failures := 0
	served := false // by any so far
	for {
		began := time.Now()
		serves, err := sv.run(number)
		served = served || serves
		sv.mu.Lock()
		if sv.stopping {
			if serves {
				sv.cut = errors.Join(sv.cut, err)
			}
			sv.mu.Unlock()
			return
		}
		sv.mu.Unlock()
		if err == nil { // somebody has sent it SIGTERM
			sv.log.Info("process has left", slog.Int("process", number))
			continue
		}
		if !served {
			sv.fatal <- err
			return
		}
		sv.log.Error("process failed", slog.Int("process", number), slog.Any("error", err))
		if time.Since(began) >= steadyTime {
			failures = 0
		}
		if failures++; failures >= mostFailures {
			sv.fatal <- fmt.Errorf("process %d failed %d times in a row: %w", number, failures, err)
			return
		}
		select {
		case <-time.After(firstPause << (failures - 1)):
		case <-sv.quit:
			return
		}
	}
}

// run runs one process to its end, and reports whether it has served.
func (sv *supervisor) run(number int) (serves bool, err error) {
	orders, sender, err := process.OneWay[order]()
	if err != nil {
		return false, err
	}
	defer sender.Close()
	ready, err := process.NewEvent(process.Here)
	if err != nil {
		_ = orders.Close()
		return false, err
	}
	r := running{orders: sender}
	r.p, err = process.Start(serveDuty, duty{
		Number: number, Of: sv.o.processes, Ports: sv.ports,
		Password: sv.access.secret, Users: sv.access.users, Pair: sv.access.cert.pem(),
		Desk: sv.desk, Orders: orders, Ready: ready,
	}, process.Named(fmt.Sprintf("ftpd %d", number)), process.Processors(sv.processors), process.Calm())
	if err != nil {
		_, _ = orders.Close(), ready.Close()
		return false, err
	}
	sv.mu.Lock()
	sv.running[number] = r
	if sv.stopping {
		r.tell(order{What: stop})
	}
	if sv.hurried {
		r.tell(order{What: hurry})
	}
	sv.mu.Unlock()
	came := make(chan bool)
	go func() {
		err := ready.Wait() // or it is closed
		if err == nil {
			sv.log.Info("process serves", slog.Int("process", number), slog.Int("pid", r.p.PID()))
			sv.balance.add(number)
			sv.up <- number
		}
		came <- err == nil
	}()
	_, err = r.p.Result()
	_ = ready.Close()
	sv.mu.Lock()
	delete(sv.running, number)
	sv.mu.Unlock()
	serves = <-came
	sv.balance.remove(number)
	return serves, err
}
