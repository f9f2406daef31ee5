package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process"
)

// A duty is what one of several processes that serve is told by their parent. The command
// line it has, too.
type duty struct {
	Number, Of int // 1 to Of
	Ports      []port
	Password   string // of the one user
	Users      []byte // or the file of them
	Pair       *pair  // the certificate, nil for none
	Desk       *desk
	Orders     *process.Receiver[order]
	Ready      *process.Event
}

// An order is what the parent says later.
type order struct {
	What command
	Pair *pair // of reload
}

type command uint8

const (
	stop      command = iota // drain, and end
	hurry                    // wait no longer
	reload                   // use another certificate
	closeDoor                // let others accept
	openDoor
)

// serveDuty is the life of a process that serves.
var serveDuty = process.Register("ftpd", func(d duty) (struct{}, error) {
	// What waits for channels is no task.
	var result event.Result[struct{}]
	go func() {
		if err := d.serve(); err != nil {
			result.Fail(err)
		} else {
			result.Set(struct{}{})
		}
	}()
	return result.Get()
})

const (
	// endGrace is how long a process may take to end after the time for draining is up: it
	// gives its sessions six seconds of that.
	endGrace = 8 * time.Second
	// killGrace is how much later it is killed, if it can't even end itself.
	killGrace = 2 * time.Second
)

func (d duty) serve() error {
	// A terminal sends SIGINT to all processes, and a service manager SIGTERM: once is
	// enough. SIGTERM to one alone ends that, and the parent puts another in its place.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	terms := catch(syscall.SIGTERM)

	o, err := parseOptions(os.Args[1:], io.Discard)
	if err != nil {
		return err // the parent was satisfied
	}
	o.child, o.password, o.usersText, o.tlsPair = true, d.Password, d.Users, d.Pair
	cfg, access, err := configure(o)
	if err != nil {
		return err
	}
	defer cfg.Root.Close()
	cfg.Logger = newLogger(o, os.Stderr).With(slog.Int("process", d.Number))
	cfg.Register = &counter{desk: d.Desk, number: d.Number, log: cfg.Logger}
	if o.sharedPorts {
		cfg.PassivePorts = partOf(cfg.PassivePorts, d.Number-1, d.Of)
	}
	var entrance door
	s, err := newService(o, cfg, d.Ports, entrance.guard)
	if err != nil {
		return err
	}
	defer s.close()
	closePorts(d.Ports) // the service has duplicates
	s.serve()

	stopping, hurried := make(chan struct{}), make(chan struct{})
	begin, rush := sync.OnceFunc(func() { close(stopping) }), sync.OnceFunc(func() { close(hurried) })
	go func() {
		for o := range d.Orders.All() {
			switch o.What {
			case stop:
				begin()
			case hurry:
				rush()
			case reload:
				access.cert.replace(o.Pair, cfg.Logger)
			case closeDoor, openDoor:
				entrance.set(o.What == closeDoor)
			}
		}
	}()
	// This comes also when a worker hangs, and with it the pipe.
	if parent, ok := process.CurrentParent(); ok {
		parent.OnReady(begin)
	}
	if err := d.Ready.Set(); err != nil {
		return err
	}
	select {
	case err := <-s.ended:
		return errors.Join(err, s.srv.Close())
	case <-terms:
	case <-stopping:
	}
	cfg.Logger.Info("shutting down", slog.Duration("drain", o.drain))
	overdue := time.AfterFunc(o.drain+endGrace, func() { os.Exit(1) })
	defer overdue.Stop()
	return drain(s, hurried)
}

// partOf returns the i-th of n parts of a range, which has at least n ports.
func partOf(r server.PortRange, i, n int) server.PortRange {
	size := int(r.Hi) - int(r.Lo) + 1
	return server.PortRange{
		Lo: r.Lo + uint16(i*size/n),
		Hi: r.Lo + uint16((i+1)*size/n-1),
	}
}
