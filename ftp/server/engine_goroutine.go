package server

import (
	"context"
	stdnet "net"
	goruntime "runtime"
	"time"
)

// Goroutines returns the engine of goroutines and the standard library's net.
func Goroutines() Engine { return goroutines{} }

type goroutines struct{}

func (goroutines) Name() string { return "goroutine" }

func (goroutines) Listen(network, address string) (stdnet.Listener, error) {
	var lc stdnet.ListenConfig
	lc.SetMultipathTCP(false) // our own net has none either
	return lc.Listen(context.Background(), network, address)
}

func (goroutines) Dial(ctx context.Context, network string, local stdnet.Addr, address string) (stdnet.Conn, error) {
	d := stdnet.Dialer{LocalAddr: local, Control: sharesPort(local)}
	return d.DialContext(ctx, network, address)
}

func (goroutines) Go(fn func()) Activity {
	g := make(goroutine)
	go func() {
		defer close(g)
		fn()
	}()
	return g
}

func (goroutines) GoBalanced(fn func()) { go fn() }

func (goroutines) Offload(fn func()) error {
	fn()
	return nil
}

func (goroutines) Sleep(d time.Duration) {
	if d <= 0 {
		goruntime.Gosched()
		return
	}
	time.Sleep(d)
}

// goroutine is closed when it has ended.
type goroutine chan struct{}

func (g goroutine) Wait() error {
	<-g
	return nil
}
