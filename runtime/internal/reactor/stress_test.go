package reactor

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStress: many goroutines wait, cancel, kick, write, read and shut down on
// many descriptors and two reactors at once. After that every descriptor still
// works, closes, and wakes who waits.
func TestStress(t *testing.T) {
	const (
		sockets = 16
		workers = 4
		steps   = 10_000
	)
	rigs := []*rig{newRig(t), newRig(t)}
	type socket struct {
		fd   *FD
		peer *closing
		down atomic.Bool

		// The owner of a direction is who may wait for it.
		owner [2]sync.Mutex
		party [2]*stressParty
	}
	all := make([]*socket, sockets)
	for i := range all {
		s := new(socket)
		if i%2 == 0 {
			s.fd, s.peer = socketPair(t)
		} else {
			s.fd, s.peer = datagramPair(t)
		}
		for dir := range s.party {
			s.party[dir] = &stressParty{ends: make(chan uint64, 1)}
		}
		all[i] = s
	}
	var wg sync.WaitGroup
	for seed := range uint64(workers) {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			chunk := make([]byte, 1<<16)
			for range steps {
				s := all[random.IntN(sockets)]
				g := rigs[random.IntN(len(rigs))]
				dir := Direction(random.IntN(2))
				switch action := random.IntN(8); action {
				default:
					if !s.owner[dir].TryLock() {
						continue
					}
					p := s.party[dir]
					gen := p.begin()
					local := action%2 == 0
					var ready bool
					var err error
					tried := random.IntN(2) == 0
					if local {
						g.on(func() {
							ready, err = s.fd.Wait(g.Reactor, true, dir, tried, p, gen)
							if random.IntN(2) == 0 {
								g.Flush()
							}
						})
					} else {
						ready, err = s.fd.Wait(g.Reactor, false, dir, tried, p, gen)
					}
					if err != nil {
						t.Errorf("Wait: %v", err)
					}
					if ready || err != nil || random.IntN(2) == 0 {
						s.fd.Cancel(dir, gen)
						p.cancel(gen)
					} else {
						s.fd.Kick(dir)
						p.await(t, gen)
					}
					s.owner[dir].Unlock()
				case 4:
					_, _ = unix.Write(s.fd.Sysfd, chunk)
				case 5:
					_, _ = unix.Read(s.peer.n, chunk)
					_, _ = unix.Read(s.fd.Sysfd, chunk)
				case 6:
					_, _ = unix.Write(s.peer.n, chunk[:1])
				case 7:
					if random.IntN(20) == 0 && s.down.CompareAndSwap(false, true) {
						shutdown(t, s.peer.n, unix.SHUT_WR)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, g := range rigs {
		g.on(func() { g.Flush() })
	}
	for i, s := range all {
		g := rigs[i%2]
		m := mode{g, i%4 < 2}
		p := newParty(t)
		drain(t, s.fd.Sysfd)
		if !s.down.Load() {
			r, ready, err := m.tryWait(s.fd, Read, true, p)
			if err != nil {
				t.Fatal(err)
			}
			if ready && !s.fd.Datagrams {
				t.Error("ready to read nothing")
			}
			write(t, s.peer.n, "x")
			if !ready {
				p.woken(r)
			}
		}
		fill(t, s.fd.Sysfd)
		// It may be an edge noted before that ends the first wait.
		w, ready, err := m.tryWait(s.fd, Write, true, p)
		if err != nil {
			t.Fatal(err)
		}
		drain(t, s.peer.n)
		if !ready {
			p.woken(w)
		}
		for next := s.fd.Home(); next != nil; {
			on := next
			done := make(chan struct{})
			on.Post(func() { next = s.fd.Close(on); close(done) })
			receive(t, done, "Close")
		}
		p.asleep()
	}
	for _, g := range rigs {
		g.quiet()
		g.mu.Lock()
		if g.regs != nil || len(g.retired) > 2 {
			t.Errorf("left: registrations %v, %d retired operators", g.regs, len(g.retired))
		}
		g.mu.Unlock()
	}
}

// stressParty is a party whose waits end once, as those of the scheduler.
type stressParty struct {
	word atomic.Uint64 // generation, and whether it waits
	ends chan uint64
}

func (p *stressParty) begin() uint64 {
	gen := p.word.Load()>>1 + 1
	p.word.Store(gen<<1 | 1)
	return gen
}

func (p *stressParty) Wake(gen uint64) bool {
	if !p.word.CompareAndSwap(gen<<1|1, gen<<1) {
		return false
	}
	p.ends <- gen
	return true
}

func (p *stressParty) Fail(gen uint64, err error) bool { return p.Wake(gen) }

// cancel ends a wait by the party itself.
func (p *stressParty) cancel(gen uint64) {
	if !p.word.CompareAndSwap(gen<<1|1, gen<<1) {
		<-p.ends
	}
}

func (p *stressParty) await(t *testing.T, gen uint64) {
	if got := receive(t, p.ends, "the end of a wait"); got != gen {
		t.Errorf("wait %d ended, not %d", got, gen)
	}
}
