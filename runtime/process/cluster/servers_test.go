package cluster

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	stdnet "net"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// serverPackage is the program, of the version in go.mod: Debian's is too old.
const serverPackage = "github.com/nats-io/nats-server/v2"

// buildServer makes the program nats-server, or skips the test if there is no Go.
func buildServer(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no nats-server is built and run")
	}
	path := filepath.Join(t.TempDir(), "nats-server")
	if _, err := exec.LookPath("go"); err != nil {
		if os.Getenv("WEFT_REQUIRE_PEERS") == "1" {
			t.Fatal("go is missing, to build nats-server with, and WEFT_REQUIRE_PEERS=1")
		}
		t.Skip("SKIP: NO GO TO BUILD nats-server WITH")
	}
	if out, err := exec.Command("go", "build", "-o", path, serverPackage).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// A natsServer is a process.
type natsServer struct {
	t       testing.TB
	program string
	config  string
	log     string
	process *os.Process
	ended   chan struct{}
}

// start starts the process. It ends with this one, whatever happens.
func (s *natsServer) start() {
	s.t.Helper()
	cmd := exec.Command(s.program, "-c", s.config, "-l", s.log)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		goruntime.LockOSThread() // the signal comes when the thread ends
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	check(s.t, <-started)
	s.process, s.ended = cmd.Process, ended
}

func (s *natsServer) signal(sig syscall.Signal) { check(s.t, s.process.Signal(sig)) }

func (s *natsServer) kill() {
	_ = s.process.Kill()
	<-s.ended
}

// startServers starts three servers that are a cluster, and returns their URL. program is buildServer's.
func startServers(t testing.TB, program string) (servers map[string]*natsServer, url string) {
	dir := t.TempDir()
	ports := freePorts(t, 6)
	var urls, routes []string
	for i := range 3 {
		urls = append(urls, fmt.Sprintf("nats://user:secret@127.0.0.1:%d", ports[i]))
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[3+i]))
	}
	servers = make(map[string]*natsServer)
	for i := range 3 {
		name := fmt.Sprintf("n%d", i+1)
		s := &natsServer{t: t, program: program, config: filepath.Join(dir, name+".conf"), log: filepath.Join(dir, name+".log")}
		check(t, os.WriteFile(s.config, fmt.Appendf(nil, `
server_name: %s
listen: "127.0.0.1:%d"
authorization { user: user, password: secret }
jetstream { store_dir: %q, max_file: 1GB, max_mem: 256MB }
cluster { name: weft, listen: "127.0.0.1:%d", routes: [%s] }
`, name, ports[i], filepath.Join(dir, name), ports[3+i], strings.Join(routes, ", ")), 0o600))
		servers[name] = s
		s.start()
		t.Cleanup(func() {
			s.kill()
			if t.Failed() {
				if f, err := os.Open(s.log); err == nil {
					b, _ := io.ReadAll(f)
					t.Logf("%s:\n%s", name, b[max(0, len(b)-4000):])
					_ = f.Close()
				}
			}
		})
	}
	return servers, strings.Join(urls, ",")
}

// freePorts returns ports of which others are not given any by chance.
func freePorts(t testing.TB, n int) (ports []int) {
	for range 1000 {
		port := 20000 + rand.IntN(10000)
		l, err := stdnet.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer l.Close() // only now, so that none comes twice
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatal("no ports are free")
	return nil
}

// leaderOf returns the server that leads a stream.
func leaderOf(c *Cluster, stream string) string {
	return ok(ask(c, func(ctx context.Context) (string, error) {
		s, err := c.js.Stream(ctx, stream)
		if err != nil {
			return "", err
		}
		leader := s.CachedInfo().Cluster.Leader
		if leader == "" {
			return "", context.DeadlineExceeded
		}
		return leader, nil
	}))
}

// allCurrent reports whether all servers have all of a stream.
func allCurrent(c *Cluster, stream string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return false
	}
	current := 0
	for _, r := range s.CachedInfo().Cluster.Replicas {
		if r.Current && !r.Offline {
			current++
		}
	}
	return current == 2
}

var slowSquare = process.Register("test slow square", func(n int) (int, error) {
	runtime.Sleep(5 * time.Millisecond)
	return n * n, nil
})

// TestServerLost: one of three servers is killed, and later another one stopped, in the middle of
// jobs and items. Each job has one result, each item is taken.
func TestServerLost(t *testing.T) {
	program := buildServer(t)
	inTask(t, func() {
		servers, url := startServers(t, program)
		c := ok(Open(Config{URL: url, Lease: 2 * time.Second}))
		p := ok(process.NewPool(2, c.Pool("jobs")))
		s := ok(ask(c, func(ctx context.Context) (jetstream.Stream, error) { return c.js.Stream(ctx, poolStream("jobs")) }))
		want(t, "replicas", s.CachedInfo().Config.Replicas, 3)
		traffic := func(name string, disturb func()) {
			q := ok(process.NewQueue[int](c.Queue("items-"+name), 50))
			const items = 300
			var seen [items]atomic.Int32
			var some event.Event
			var takers []*runtime.Task
			for range 3 {
				takers = append(takers, runtime.SpawnBalanced(func() {
					for item := range q.All() {
						seen[item].Add(1)
						if item > items/10 {
							some.Set()
						}
					}
				}))
			}
			putter := runtime.Async(func() (int, error) {
				for i := range items {
					if err := q.Put(i); err != nil {
						return i, err
					}
				}
				return items, q.Close()
			})
			args := make([]int, 500)
			for i := range args {
				args[i] = i
			}
			results := ok(process.MapAsync(p, slowSquare, args))
			check(t, some.WaitUntil(patience()))
			disturb()
			for i, r := range ok(results.GetUntil(runtime.Now().Add(2 * runtimetest.Patience))) {
				if r != i*i {
					t.Errorf("job %d: %d", i, r)
				}
			}
			want(t, "items put", ok(putter.Get()), items)
			check(t, runtime.JoinAllUntil(runtime.Now().Add(2*runtimetest.Patience), takers...))
			for i := range seen {
				if seen[i].Load() == 0 {
					t.Errorf("%s: item %d is lost", name, i)
				}
			}
			check(t, q.Remove())
		}
		var victim *natsServer
		traffic("killed", func() {
			victim = servers[leaderOf(c, poolStream("jobs"))]
			victim.kill()
		})
		victim.start()
		runtimetest.Eventually(t, "three servers", func() bool { return allCurrent(c, poolStream("jobs")) })
		traffic("stopped", func() {
			victim = servers[c.nc.ConnectedServerName()]
			victim.signal(syscall.SIGSTOP)
		})
		victim.signal(syscall.SIGCONT)
		p.Close()
		check(t, p.JoinUntil(patience()))
		check(t, c.RemovePool("jobs"))
		check(t, c.Close())
		for _, s := range servers {
			s.kill()
		}
	})
}
