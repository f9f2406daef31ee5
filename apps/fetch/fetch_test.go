package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	stdhttp "net/http"
	"net/http/httptest"
)

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

// program is the fetch that was built for the tests.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "fetch-test-")
	if err == nil {
		program = filepath.Join(dir, "fetch")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// outcome is what a run of the program came to.
type outcome struct {
	status         int
	stdout, stderr string
}

// fetch runs the program to its end.
func fetch(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return outcome{status(t, cmd), stdout.String(), stderr.String()}
}

func status(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	switch err := cmd.Wait(); {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		t.Fatal(err)
		return 0
	}
}

// wants fails the test unless the output matches each pattern.
func (o outcome) wants(t *testing.T, status int, patterns ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("status %d, want %d", o.status, status)
	}
	for _, p := range patterns {
		if !regexp.MustCompile(`(?m)` + p).MatchString(o.stdout) {
			t.Errorf("the output does not match %q", p)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", o.stdout, o.stderr)
	}
}

func site(t *testing.T, h stdhttp.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestTogether: pages are fetched at the same time, as many as the limit says. Each answer waits
// until all have been asked for.
func TestTogether(t *testing.T) {
	const n = 7
	var together sync.WaitGroup
	together.Add(n)
	u := site(t, func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
		together.Done()
		together.Wait()
		fmt.Fprint(w, "page")
	})
	var list strings.Builder
	fmt.Fprintf(&list, "# pages\n\n")
	for i := range n - 1 {
		fmt.Fprintf(&list, "  %s/%d\n", strings.TrimPrefix(u, "http://"), i)
	}
	fetch(t, list.String(), "-limit", "7", "-from", "-", u+"/x").
		wants(t, 0, `^200 +4 B +\d+\S*  http://\S+/x$`, `^7 of 7 fetched, 28 B in \S+; one after the other \S+, [\d.]+ times as long$`)
}

// TestSerial: with -serial there is one request at a time, in the order of the list.
func TestSerial(t *testing.T) {
	var now atomic.Int64
	u := site(t, func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
		if now.Add(1) > 1 {
			t.Error("two at a time")
		}
		defer now.Add(-1)
	})
	file := filepath.Join(t.TempDir(), "urls")
	if err := os.WriteFile(file, []byte(u+"/1\n"+u+"/2\n"+u+"/3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fetch(t, "", "-serial", "-from", file).wants(t, 0, `(?s)/1\n.*/2\n.*/3\n`, `^3 of 3 fetched, 0 B in \S+, one after the other$`)
}

// TestRetries: what may pass is tried again, after as long as the server says; what
// does not pass is not.
func TestRetries(t *testing.T) {
	var mu sync.Mutex
	counts := make(map[string]int)
	var first time.Time
	u := site(t, func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
		mu.Lock()
		defer mu.Unlock()
		counts[r.URL.Path]++
		n := counts[r.URL.Path]
		switch {
		case r.URL.Path == "/missing":
			w.WriteHeader(404)
		case r.URL.Path == "/broken":
			w.WriteHeader(500)
		case r.URL.Path == "/busy" && n == 1:
			first = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		case r.URL.Path == "/busy":
			if time.Since(first) < 900*time.Millisecond {
				t.Error("it did not wait as long as it was told to")
			}
		case r.URL.Path == "/cut" && n == 1:
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "half")
		case r.URL.Path == "/reset" && n == 1:
			panic(stdhttp.ErrAbortHandler)
		}
	})
	o := fetch(t, "", "-retries", "1", u+"/missing", u+"/broken", u+"/busy", u+"/cut", u+"/reset", u+"/fine", "http://127.0.0.1:1/none")
	o.wants(t, 1,
		`^FAILED .*/missing: status 404 Not Found$`,
		`^FAILED .*/broken: status 500 .* \(2 attempts\)$`,
		`^200 .*/busy \(2 attempts\)$`,
		`^200 .*/cut \(2 attempts\)$`,
		`^200 .*/reset \(2 attempts\)$`,
		`^200 .*/fine$`,
		`^FAILED .*/none: .*refused \(2 attempts\)$`,
		`^4 of 7 fetched, .*, 3 failed`)
}

// TestSave: pages are saved under names that stay in the directory, and nothing is
// overwritten.
func TestSave(t *testing.T) {
	u := site(t, func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
		if r.URL.Path == "/dir/bad" {
			w.Header().Set("Content-Length", "1000")
		}
		fmt.Fprint(w, r.URL.Path)
	})
	outside := t.TempDir()
	dir := filepath.Join(outside, "pages")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "target"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	fetch(t, "", "-retries", "0", "-save", dir, "-serial",
		u+"/x/a.txt", u+"/y/a.txt", u+"/link", u+"/..%2f..%2fescaped", u+"/.hidden", u+"/", u+"/dir/bad").
		wants(t, 1, `-> \S+/a-1.txt$`, `^FAILED .*/bad: `)
	want := map[string]string{
		"a.txt": "mine", "a-1.txt": "/x/a.txt", "a-2.txt": "/y/a.txt", "link-1": "/link",
		"escaped": "/../../escaped", "hidden": "/.hidden", "127.0.0.1.html": "/",
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "link" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if content, ok := want[e.Name()]; !ok || string(text) != content || err != nil {
			t.Errorf("%s: %q, %v", e.Name(), text, err)
		}
		delete(want, e.Name())
	}
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}
	if left, _ := os.ReadDir(outside); len(left) != 1 {
		t.Errorf("outside of the directory: %v", left)
	}
}

// TestFileName: names for URLs.
func TestFileName(t *testing.T) {
	for raw, want := range map[string]string{
		"http://host/a/b.html?q=1#f":              "b.html",
		"http://host":                             "host.html",
		"http://host/dir/":                        "dir",
		"http://host/..":                          "host.html",
		"http://host/a/../..":                     "host.html",
		"http://host/-rf":                         "rf",
		"http://host/...":                         "host.html",
		"http://host/a%00b%0ac":                   "a_b_c",
		"http://host/a%5cb:c":                     "a_b_c",
		"http://host/%ff":                         "host.html",
		"http://[::1]:80/":                        "__1.html",
		"http://host/" + strings.Repeat("é", 300): strings.Repeat("é", 101),
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := fileName(u); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// TestInterrupt: Ctrl-C ends the requests under way, removes what is half saved, and
// the program says what has been done.
func TestInterrupt(t *testing.T) {
	begun, gone := make(chan bool, 1), make(chan bool)
	u := site(t, func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
		if r.URL.Path == "/fine" {
			return
		}
		_, _ = w.Write(make([]byte, 1<<20))
		w.(stdhttp.Flusher).Flush()
		begun <- true
		<-r.Context().Done()
		close(gone)
	})
	dir := t.TempDir()
	cmd := exec.Command(program, "-save", dir, "-serial", u+"/fine", u+"/endless", u+"/never")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	<-begun
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(stdout)
	if err != nil {
		t.Error(err)
	}
	<-gone
	outcome{status(t, cmd), string(text), ""}.wants(t, 130, `^200 .*/fine`, `^FAILED .*/endless: .*interrupt signal received$`, `^1 of 3 fetched`)
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// TestUsage: what makes no sense is refused.
func TestUsage(t *testing.T) {
	for args, want := range map[string]int{
		"":                           2,
		"-limit 0 http://x":          2,
		"-nonsense":                  2,
		"-from /does/not/exist":      1,
		"http://":                    1,
		"-save /dev/null/x http://x": 1,
	} {
		if o := fetch(t, "", strings.Fields(args)...); o.status != want || o.stderr == "" {
			t.Errorf("%q: %+v, want status %d", args, o, want)
		}
	}
}

// TestBar: the bar fits the terminal and shows what was done.
func TestBar(t *testing.T) {
	var bytes int64 = 12_345
	for width, want := range map[int]string{
		60: `^\[=+ +\] 3/9, 12 kB, \d+ms, 1 failed$`,
		30: `^3/9, 12 kB`,
		3:  `^3/$`,
	} {
		p := &Progress{Total: 9, done: 3, failed: 1, bytes: &bytes, Width: width, began: time.Now()}
		if got := p.bar(); len(got) > width || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%d: %q, want %s", width, got, want)
		}
	}
	if got := printable("a\x1b[2Jb\u009bc"); got != "a?[2Jb?c" {
		t.Errorf("%q", got)
	}
}

// TestRetryAfter: seconds, a date, and nonsense.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"3": 3 * time.Second, "Wed, 25 Nov 2026 12:00:05 GMT": 5 * time.Second,
		"": 0, "-1": 0, "soon": 0, "99999999999999999999": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}
