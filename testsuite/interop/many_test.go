package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// transfer is how one client program sends a file to a URL and fetches it.
type transfer struct {
	name     string
	up, down func(dir, url, file string) error
}

// transfers returns the client programs that are there, at least one.
func transfers(t *testing.T) []transfer {
	t.Helper()
	var list []transfer
	add := func(name string, up, down func(path, url, file string) []string) {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Logf("%s is not installed, and left out", name)
			return
		}
		do := func(args func(path, url, file string) []string) func(dir, url, file string) error {
			return func(dir, url, file string) error {
				_, err := run(dir, path, args(path, url, file)...)
				return err
			}
		}
		list = append(list, transfer{name: name, up: do(up), down: do(down)})
	}
	add("curl",
		func(_, url, file string) []string { return []string{"-sS", "-T", file, url} },
		func(_, url, file string) []string { return []string{"-sS", "-o", file, url} })
	add("lftp",
		func(_, url, file string) []string {
			base, name := url[:strings.LastIndexByte(url, '/')], url[strings.LastIndexByte(url, '/')+1:]
			return []string{"-c", fmt.Sprintf("set ftp:ssl-allow no; set cmd:fail-exit yes; open %s; put %s -o %s", base, file, name)}
		},
		func(_, url, file string) []string {
			base, name := url[:strings.LastIndexByte(url, '/')], url[strings.LastIndexByte(url, '/')+1:]
			return []string{"-c", fmt.Sprintf("set ftp:ssl-allow no; set cmd:fail-exit yes; open %s; get %s -o %s", base, name, file)}
		})
	if len(list) == 0 {
		peer(t, "curl")
	}
	return list
}

// TestManyUsers has many users upload and download at once, with different
// clients, and compares all contents.
func TestManyUsers(t *testing.T) {
	list := transfers(t)
	const userCount, rounds, parallel = 40, 2, 20
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, userCount, "-max-per-ip", "1000")
		before := s.descriptors(t)
		slots := make(chan struct{}, parallel) // client programs at once
		var wg sync.WaitGroup
		for user := range userCount {
			wg.Go(func() {
				dir := t.TempDir()
				client := list[user%len(list)]
				for round := range rounds {
					slots <- struct{}{}
					err := roundTrip(s, client, dir, user, round)
					<-slots
					if err != nil {
						t.Errorf("user %d with %s: %v", user, client.name, err)
						return
					}
				}
			})
		}
		wg.Wait()
		// Every session and data connection is gone.
		for end := time.Now().Add(limit); s.descriptors(t) > before; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d descriptors open, were %d", s.descriptors(t), before)
			}
		}
	})
}

// roundTrip uploads a file, looks at it on the server's disk, and fetches it.
func roundTrip(s *ftpd, client transfer, dir string, user, round int) error {
	file := filepath.Join(dir, "local")
	hash, err := randomFile(file, int64(300_000+70_000*user+13*round))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("file%d", round)
	if err := client.up(dir, s.url(user, name), file); err != nil {
		return err
	}
	if got := hashOf(filepath.Join(s.home(user), name)); got != hash {
		return fmt.Errorf("uploaded: hash %s, want %s", got, hash)
	}
	back := fmt.Sprintf("back%d", round)
	if err := client.down(dir, s.url(user, name), back); err != nil {
		return err
	}
	if got := hashOf(filepath.Join(dir, back)); got != hash {
		return fmt.Errorf("downloaded: hash %s, want %s", got, hash)
	}
	return nil
}

// TestOneGiBBesideAHundredSessions uploads 1 GiB and fetches it unchanged while
// a hundred other sessions transfer. The server's memory stays flat.
func TestOneGiBBesideAHundredSessions(t *testing.T) {
	if testing.Short() {
		t.Skip("moves gigabytes")
	}
	curl := peer(t, "curl")
	s := start(t, "task", 1, "-max-per-ip", "1000")
	dir := t.TempDir()
	const size = 1 << 30
	local := filepath.Join(dir, "local")
	hash, err := randomFile(local, size)
	if err != nil {
		t.Fatal(err)
	}
	small, err := randomFile(filepath.Join(s.home(0), "small"), 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	fetched := 0
	for range 100 {
		wg.Go(func() {
			for {
				n, err := fetchSlowly(s.addr, "user0", "small", small)
				if err != nil {
					t.Errorf("beside: %v", err)
					return
				}
				mu.Lock()
				fetched += n
				mu.Unlock()
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	mustRun(t, dir, curl, "-sS", "-T", local, s.url(0, "big"))
	wantFile(t, filepath.Join(s.home(0), "big"), hash)
	mustRun(t, dir, curl, "-sS", "-o", "back", s.url(0, "big"))
	close(stop)
	wg.Wait()
	wantFile(t, filepath.Join(dir, "back"), hash)
	if peak := s.peakMemory(t); peak > 256<<20 {
		t.Errorf("the server took %d MiB", peak>>20)
	} else {
		t.Logf("beside: %d MiB fetched; the server's peak: %d MiB", fetched>>20, peak>>20)
	}
	_ = os.Remove(local)
}
