package net_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// twoFamilies serves a name with an address of each family, IPv6 first.
func twoFamilies(t *testing.T) *nameServer {
	t.Helper()
	if !hasIPv6() {
		t.Skip("no IPv6")
	}
	return serveNames(t, map[string][]string{"a both.test.": {"127.0.0.1"}, "aaaa both.test.": {"::1"}})
}

// portOf returns the port of an address.
func portOf(t testing.TB, address string) string {
	t.Helper()
	_, port, err := stdnet.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// acceptAll accepts and closes connections until l is closed.
func acceptAll(l stdnet.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}

// TestFallback: of two families the first wins if it answers; the other if it is
// refused, without the delay, or does not answer within the delay. If both are
// refused the error is the first one's.
func TestFallback(t *testing.T) {
	names := twoFamilies(t)
	same(t, func(t *testing.T, n implementation) (told []string) {
		dial := func(what, port string, d dialer) {
			d.names = names
			conn, err := n.dial(t.Context(), d, "tcp", "both.test:"+port)
			if err != nil {
				told = append(told, tell(what, err))
				return
			}
			told = append(told, tell(what, conn.RemoteAddr()))
			_ = conn.Close()
		}
		four, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer four.Close()
		port := portOf(t, four.Addr().String())
		dial("refused", port, dialer{fallbackDelay: time.Hour})
		dial("refused, one after the other", port, dialer{fallbackDelay: -1})

		_, stop := blackholeOn(t, "[::1]:"+port)
		dial("no answer", port, dialer{fallbackDelay: time.Millisecond})
		dial("no answer, default delay", port, dialer{})
		stop()

		six, err := n.Listen("tcp", "[::1]:"+port)
		if err != nil {
			t.Fatal(err)
		}
		dial("both", port, dialer{fallbackDelay: time.Hour})
		_ = six.Close()
		_ = four.Close()
		dial("both refused", port, dialer{fallbackDelay: time.Hour})
		dial("both refused", port, dialer{fallbackDelay: time.Nanosecond})
		return told
	})
}

// TestFallbackLoser: when both families connect, the connection that comes second
// is closed, and no descriptor or task is left.
func TestFallbackLoser(t *testing.T) {
	names := twoFamilies(t)
	each(t, func(t *testing.T, n implementation) {
		four, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := portOf(t, four.Addr().String())
		six, err := n.Listen("tcp", "[::1]:"+port)
		if err != nil {
			t.Fatal(err)
		}
		joins := []func(){n.start(func() { acceptAll(four) }), n.start(func() { acceptAll(six) })}
		before := runtimetest.Descriptors()
		families := map[bool]int{}
		for i := range 200 {
			conn, err := n.dial(t.Context(), dialer{names: names, fallbackDelay: time.Duration(i+1) * time.Microsecond}, "tcp", "both.test:"+port)
			if err != nil {
				t.Fatal(err)
			}
			families[conn.RemoteAddr().(*stdnet.TCPAddr).IP.To4() == nil]++
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF { // it is open, and the server closes it
				t.Errorf("Read: %v", err)
			}
			_ = conn.Close()
		}
		t.Logf("IPv6 %d, IPv4 %d", families[true], families[false])
		_ = four.Close()
		_ = six.Close()
		for _, join := range joins {
			join()
		}
		runtimetest.Eventually(t, "no descriptor left", func() bool { return runtimetest.Descriptors() <= before })
	})
}

// TestFallbackEnds: a dial that races ends by its context, its Cancel channel, a
// kill and a timeout, and leaves nothing.
func TestFallbackEnds(t *testing.T) {
	names := twoFamilies(t)
	address, _ := blackholeOn(t, "127.0.0.1:0")
	port := portOf(t, address)
	blackholeOn(t, "[::1]:"+port)
	target := "both.test:" + port
	same(t, func(t *testing.T, n implementation) (told []string) {
		d := dialer{names: names, fallbackDelay: time.Nanosecond}
		// Both race when the second of the sockets is made.
		sockets := make(chan struct{}, 2)
		d.control = func(string, string, syscall.RawConn) error { sockets <- struct{}{}; return nil }
		both := func(then func()) func() {
			return func() {
				go func() {
					<-sockets
					<-sockets
					then()
				}()
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		both(cancel)()
		_, err := n.dial(ctx, d, "tcp", target)
		told = append(told, tell("context", err))

		done := make(chan struct{})
		d.cancel = done
		both(func() { close(done) })()
		_, err = n.dial(t.Context(), d, "tcp", target)
		told = append(told, tell("channel", err))

		d.cancel = nil
		d.timeout = 20 * time.Millisecond
		_, err = n.dial(t.Context(), d, "tcp", target)
		told = append(told, strings.Replace(tell("timeout", err), " is os.ErrDeadlineExceeded", "", 1))
		return told
	})

	rt := runtimetest.New(t, 1)
	d := net.Dialer{Resolver: names.resolver(), FallbackDelay: time.Nanosecond}
	before := runtimetest.Descriptors()
	var err error
	task := rt.Spawn(func() { _, err = d.Dial("tcp", target) })
	waiting(t, rt, "writable", 2)
	task.Kill(nil)
	_ = task.Join()
	var op *stdnet.OpError
	if !errors.Is(err, runtime.ErrKilled) || !errors.As(err, &op) {
		t.Errorf("killed: %v", err)
	}
	runtimetest.RunOn(t, rt, func() {
		var timeout *runtime.Timeout
		if err := runtime.WithTimeout(5*time.Millisecond, func() error { _, err := d.Dial("tcp", target); return err }); !errors.As(err, &timeout) {
			t.Errorf("timeout: %v", err)
		}
	})
	runtimetest.Eventually(t, "the racers' end", func() bool {
		return rt.Stats().Tasks == 0 && runtimetest.Descriptors() <= before
	})
}

// TestFallbackUnwound: a killed task that swallowed its unwinding is unwound again
// out of a race, which leaves nothing.
func TestFallbackUnwound(t *testing.T) {
	names := twoFamilies(t)
	address, _ := blackholeOn(t, "127.0.0.1:0")
	blackholeOn(t, "[::1]:"+portOf(t, address))
	rt := runtimetest.New(t, 1)
	r := names.resolver()
	r.CacheTTL = time.Hour
	if _, err := r.LookupIPAddr(t.Context(), "both.test"); err != nil { // so that the lookup does not wait
		t.Fatal(err)
	}
	before := runtimetest.Descriptors()
	d := net.Dialer{Resolver: r, FallbackDelay: time.Nanosecond}
	task := rt.Spawn(func() {
		func() {
			defer func() { _ = recover() }()
			runtime.Sleep(time.Hour)
		}()
		_, _ = d.Dial("tcp", "both.test:"+portOf(t, address))
		t.Error("it returned")
	})
	waiting(t, rt, "sleep", 1)
	task.Kill(nil)
	if err := task.Join(); !errors.Is(err, runtime.ErrKilled) {
		t.Error(err)
	}
	runtimetest.Eventually(t, "the racers' end", func() bool {
		return rt.Stats().Tasks == 0 && runtimetest.Descriptors() <= before
	})
}

// TestFallbackPanic: a racer that panics, in Control say, has lost, and the dial
// goes on.
func TestFallbackPanic(t *testing.T) {
	names := twoFamilies(t)
	var panics atomic.Int32
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(*runtime.Task, *runtime.PanicError) { panics.Add(1) }})
	l := listen(t, "tcp")
	defer l.Close()
	six := false // Control panics for IPv4 too
	d := net.Dialer{Resolver: names.resolver(), FallbackDelay: time.Hour, Control: func(network, _ string, _ syscall.RawConn) error {
		if network == "tcp6" || six {
			panic("no")
		}
		return nil
	}}
	runtimetest.RunOn(t, rt, func() {
		conn, err := d.Dial("tcp", "both.test:"+portOf(t, l.Addr().String()))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		six = true
		var panicked *runtime.PanicError
		if _, err := d.Dial("tcp", "both.test:1"); !errors.As(err, &panicked) || panicked.Value != "no" {
			t.Error(err)
		}
	})
	if panics.Load() != 3 {
		t.Errorf("%d panics were reported", panics.Load())
	}
}

// TestFallbackAtEnd: a task that dials while its runtime ends gets an error, though
// no racer can be started any more.
func TestFallbackAtEnd(t *testing.T) {
	names := twoFamilies(t)
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := net.Dialer{Resolver: names.resolver()}
	var dialErr error
	rt.Spawn(func() {
		defer func() { _, dialErr = d.Dial("tcp", "both.test:1") }()
		runtime.Sleep(time.Hour)
	})
	waiting(t, rt, "sleep", 1)
	ctx, cancel := context.WithTimeout(t.Context(), runtimetest.Patience)
	defer cancel()
	if err := rt.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(dialErr, runtime.ErrStopped) {
		t.Error(dialErr)
	}
}

// together runs body with all implementations at once, for what takes its time,
// and fails the test where ours differ from std.
func together(t *testing.T, body func(n implementation) string) {
	t.Helper()
	rt := runtimetest.New(t, 1)
	places := []implementation{
		{"std", nil, listenStd, dialStd}, {"goroutine", nil, listenOurs, dialOurs}, {"task", rt, listenOurs, dialOurs},
	}
	told := make([]string, len(places))
	var joins []func()
	for i, n := range places {
		joins = append(joins, n.start(func() { told[i] = body(n) }))
	}
	for _, join := range joins {
		join()
	}
	for i, n := range places {
		if told[i] != told[0] {
			t.Errorf("%s differs from std:\n\tgot  %s\n\twant %s", n.name, told[i], told[0])
		}
	}
	t.Log(told[0])
}

// TestManyAddresses: of many addresses, one that hangs takes no more than its
// share of the time; the next one that answers gets the connection.
func TestManyAddresses(t *testing.T) {
	names := serveNames(t, map[string][]string{"a many.test.": {"127.0.0.2", "127.0.0.3", "127.0.0.4"}})
	address, _ := blackholeOn(t, "127.0.0.3:0") // the first is refused
	port := portOf(t, address)
	l, err := stdnet.Listen("tcp", "127.0.0.4:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	together(t, func(n implementation) string {
		conn, err := n.dial(t.Context(), dialer{names: names, timeout: 4 * time.Second}, "tcp", "many.test:"+port)
		if err != nil {
			return tell("dial", err)
		}
		defer conn.Close()
		return tell("dial", conn.RemoteAddr())
	})
}

// TestListenerGoneDuringConnect: D84 a listener that is closed while somebody
// connects refuses him.
func TestListenerGoneDuringConnect(t *testing.T) {
	address, stop := blackholeOn(t, "127.0.0.1:0")
	started := make(chan struct{}, 3)
	go func() {
		for range cap(started) {
			<-started
		}
		stop()
	}()
	together(t, func(n implementation) string {
		_, err := n.dial(t.Context(), dialer{control: func(string, string, syscall.RawConn) error {
			started <- struct{}{}
			return nil
		}}, "tcp", address)
		return tell("dial", err)
	})
}

// TestMultipath: Multipath TCP is used where both ask for it and the kernel has
// it, and not else.
func TestMultipath(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, server := range []bool{false, true} {
			for _, client := range []bool{false, true} {
				var lc stdnet.ListenConfig
				lc.SetMultipathTCP(server)
				l, err := n.listen(lc, "tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				a, err := n.dial(t.Context(), dialer{multipath: client}, "tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				b, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := a.Write([]byte("x")); err != nil {
					t.Error(err)
				}
				if _, err := b.Read(make([]byte, 1)); err != nil {
					t.Error(err)
				}
				for _, c := range []stdnet.Conn{a, b} {
					used, err := c.(interface{ MultipathTCP() (bool, error) }).MultipathTCP()
					told = append(told, tell("multipath", server, client, used, err))
				}
				for _, c := range []io.Closer{a, b, l} {
					_ = c.Close()
				}
			}
		}
		return told
	})
	var d net.Dialer
	var lc net.ListenConfig
	if d.MultipathTCP() != new(stdnet.Dialer).MultipathTCP() || lc.MultipathTCP() != new(stdnet.ListenConfig).MultipathTCP() {
		t.Error("another default than std's")
	}
	d.SetMultipathTCP(true)
	lc.SetMultipathTCP(false)
	if !d.MultipathTCP() || lc.MultipathTCP() {
		t.Error("the choice has no effect")
	}
}
