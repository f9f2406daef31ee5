package net_test

import (
	"errors"
	"net/http/httptrace"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// events makes a trace whose events report hears of.
func events(report func(event string)) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:     func(i httptrace.DNSStartInfo) { report(tell("lookup", i.Host)) },
		DNSDone:      func(i httptrace.DNSDoneInfo) { report(tell("looked up", i.Addrs, i.Coalesced, i.Err)) },
		ConnectStart: func(network, addr string) { report(tell("connect", network, addr)) },
		ConnectDone:  func(network, addr string, err error) { report(tell("connected", network, addr, err)) },
	}
}

// TestTrace: a dial tells the hooks of package httptrace what it looks up and what
// it connects to.
func TestTrace(t *testing.T) {
	s := serveNames(t, hostRecords())
	same(t, func(t *testing.T, n implementation) (told []string) {
		report := func(event string) { told = append(told, event) }
		ctx := httptrace.WithClientTrace(t.Context(), events(report))
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{ // first the new one, then the old one
			ConnectStart: func(network, addr string) { report("and again: " + network) },
		})
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := stdnet.SplitHostPort(l.Addr().String())
		_, closed, _ := stdnet.SplitHostPort(refused(t))
		for _, address := range []string{
			"127.0.0.1:" + port,
			"both.test:" + port, // ::1 is refused
			"four.test:" + closed,
			"nosuch.test:80",
		} {
			host, _, _ := stdnet.SplitHostPort(address)
			report("dial " + host)
			conn, err := n.dial(ctx, dialer{names: s, fallbackDelay: -1}, "tcp", address)
			if err == nil {
				_ = conn.Close()
			}
		}
		// Of others too, and without all hooks.
		udp, err := n.dial(ctx, dialer{}, "udp", "127.0.0.1:9")
		if err != nil {
			t.Fatal(err)
		}
		_ = udp.Close()
		bare := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{})
		conn, err := n.dial(bare, dialer{names: s}, "tcp", "both.test:"+port)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		return told
	})
}

// TestTraceShared: a lookup says that others share it, and one that is kept too.
func TestTraceShared(t *testing.T) {
	s := serveNames(t, hostRecords())
	release := s.hold()
	runtimetest.Run(t, 1, func() {
		r := s.resolver()
		shared := make(map[string]bool)
		var tasks []*runtime.Task
		for _, who := range []string{"first", "second"} {
			tasks = append(tasks, runtime.Spawn(func() {
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
					DNSDone: func(i httptrace.DNSDoneInfo) { shared[who] = i.Coalesced },
				})
				if _, err := r.LookupIPAddr(ctx, "both.test"); err != nil {
					t.Error(err)
				}
			}))
		}
		waiting(t, runtime.Current().Runtime(), "lookup", 2)
		release()
		for _, task := range tasks {
			_ = task.Join()
		}
		if !shared["first"] || !shared["second"] {
			t.Error(shared)
		}
	})
}

// TestTraceUnwound: a connect that ends with its task is told as an error.
func TestTraceUnwound(t *testing.T) {
	rt := runtimetest.New(t, 1)
	addr := blackhole(t)
	var told error
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) { told = err },
	})
	task := rt.Spawn(func() {
		func() {
			defer func() { _ = recover() }()
			runtime.Sleep(time.Hour)
		}()
		var d net.Dialer
		_, _ = d.DialContext(ctx, "tcp", addr)
	})
	waiting(t, rt, "sleep", 1)
	task.Kill(nil)
	_ = task.Join()
	if !errors.Is(told, runtime.ErrKilled) {
		t.Errorf("told %v", told)
	}
}
