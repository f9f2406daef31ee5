package server

import (
	"errors"
	"math/rand/v2"
	stdnet "net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// maxPortTries bounds the search for a port that no other program uses, which
// does not park.
const maxPortTries = 1024

// dynamicPorts are used if no range is configured (RFC 6335 section 6).
//
// The system would pick one, too, but each transfer leaves a port in TIME_WAIT,
// on the side of who closes first, which is the sender's, and Linux then looks
// through thousands of them. BenchmarkRETR, run for a minute, shows it.
var dynamicPorts = PortRange{49152, 65535}

// ports are the passive ports in use, by address: what the server itself holds
// need not be tried, and that all are taken is known at once.
type ports struct {
	mu   sync.Mutex // held for a few instructions a port of the range
	used map[netip.Addr]map[uint16]struct{}
}

// listen listens on a free port of the range that can't be guessed (RFC 2577
// section 7).
func (p *ports) listen(e Engine, addr netip.Addr, r PortRange) (stdnet.Listener, error) {
	anyPort := r == (PortRange{})
	if anyPort {
		r = dynamicPorts
	}
	n := r.size()
	first, stride := rand.IntN(n), randomStride(n)
	err := error(syscall.EADDRINUSE) // all are ours
	for i, tries := 0, 0; tries < maxPortTries; tries++ {
		var port uint16
		var ok bool
		if port, i, ok = p.take(addr, r, first, stride, i); !ok {
			break
		}
		var l stdnet.Listener
		l, err = listenOn(e, addr, port)
		if err == nil {
			return &ownPort{Listener: l, release: func() { p.release(addr, port) }}, nil
		}
		p.release(addr, port)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	if anyPort {
		return listenOn(e, addr, 0)
	}
	return nil, err
}

// take takes the first port from place i on that the server does not hold, and
// returns the place behind it.
func (p *ports) take(addr netip.Addr, r PortRange, first, stride, i int) (port uint16, next int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, used := r.size(), p.used[addr]
	if len(used) >= n {
		return 0, i, false
	}
	for ; i < n; i++ {
		port = r.Lo + uint16((first+i*stride)%n)
		if _, taken := used[port]; taken {
			continue
		}
		if used == nil {
			used = make(map[uint16]struct{})
			p.used[addr] = used
		}
		used[port] = struct{}{}
		return port, i + 1, true
	}
	return 0, i, false
}

func (p *ports) release(addr netip.Addr, port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := p.used[addr]
	if delete(used, port); len(used) == 0 {
		delete(p.used, addr)
	}
}

// count returns the number of ports in use.
func (p *ports) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, used := range p.used {
		n += len(used)
	}
	return n
}

// listenOn listens on one port, 0 for any.
func listenOn(e Engine, addr netip.Addr, port uint16) (stdnet.Listener, error) {
	network := "tcp6"
	if addr.Is4() {
		network = "tcp4"
	}
	return e.Listen(network, stdnet.JoinHostPort(addr.String(), strconv.Itoa(int(port))))
}

// ownPort is a listener whose port is given back when it is closed.
type ownPort struct {
	stdnet.Listener
	once    sync.Once
	release func()
}

func (l *ownPort) Close() error {
	err := l.Listener.Close()
	l.once.Do(l.release)
	return err
}

func (l *ownPort) SetDeadline(t time.Time) error { return setAcceptDeadline(l.Listener, t) }

// setAcceptDeadline bounds Accept. Engine says that listeners have the method.
func setAcceptDeadline(l stdnet.Listener, t time.Time) error {
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return nil
}

// randomStride returns a step by which one comes to each of n places.
func randomStride(n int) int {
	for {
		stride := 1 + rand.IntN(n)
		a, b := stride, n
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return stride
		}
	}
}
