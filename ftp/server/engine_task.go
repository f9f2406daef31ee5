package server

import (
	"context"
	stdnet "net"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// Tasks returns the engine of tasks on rt, nil for the default runtime, and of
// package net of this module. Shut the server down before the runtime is
// stopped.
func Tasks(rt *runtime.Runtime) Engine { return tasks{rt} }

type tasks struct{ rt *runtime.Runtime }

func (tasks) Name() string { return "task" }

func (tasks) Listen(network, address string) (stdnet.Listener, error) {
	return net.Listen(network, address)
}

func (tasks) Dial(ctx context.Context, network string, local stdnet.Addr, address string) (stdnet.Conn, error) {
	d := net.Dialer{LocalAddr: local, Control: sharesPort(local)}
	return d.DialContext(ctx, network, address)
}

func (tasks) Go(fn func()) Activity { return task{runtime.Spawn(fn)} }

func (e tasks) GoBalanced(fn func()) {
	rt := e.rt
	if rt == nil {
		rt = runtime.Default()
	}
	rt.Spawn(fn)
}

func (tasks) Offload(fn func()) error { return runtime.OffloadShielded(fn) }

func (tasks) Sleep(d time.Duration) { runtime.Sleep(d) }

// task is a spawned task as an Activity.
type task struct{ t *runtime.Task }

func (a task) Wait() error {
	err := a.t.Join()
	if a.t.Ended() {
		return nil
	}
	return err
}
