package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain is the program itself for tests that need it as a process.
func TestMain(m *testing.M) {
	if os.Getenv("WEFT_FETCH") != "" {
		main()
	}
	runtimetest.Main(m)
}

// serve starts a server of the standard library.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv
}

// result is what a run of the program has left.
type result struct {
	code     int
	out, err string
}

// fetch runs the program, with what it reads from standard input.
func fetch(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &out, &err)
	return result{code, out.String(), err.String()}
}

func (r result) want(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, part := range parts {
		if !strings.Contains(r.out+r.err, part) {
			t.Errorf("no %q", part)
		}
	}
	if t.Failed() {
		t.Fatalf("%s\n%s", r.out, r.err)
	}
}

// tree returns the files below a directory, with their content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir+"/")] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestTogether is the tutorial's page fetcher: no page comes before all have been asked for, so
// one after the other none would.
func TestTogether(t *testing.T) {
	const pages = 40
	var asked sync.WaitGroup
	asked.Add(pages)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Done()
		asked.Wait()
		_, _ = fmt.Fprint(w, strings.Repeat("x", 1000))
	})
	var list strings.Builder
	list.WriteString("# pages\n\n")
	for i := range pages {
		fmt.Fprintf(&list, "  %s/%d\r\n", srv.URL, i)
	}
	r := fetch(t, list.String(), "-i", "-", "-n", fmt.Sprint(pages))
	r.want(t, exitOK, "40 pages, 40 kB in ", "one after the other: ")
	if lines := strings.Count(r.out, "\n200       1 kB"); lines != pages-1 {
		t.Errorf("%d lines\n%s", lines+1, r.out)
	}
}

// TestLimit: no more pages at a time than -n says, and no more connections to a host than
// -per-host.
func TestLimit(t *testing.T) {
	for _, flags := range [][]string{{"-n", "3"}, {"-n", "10", "-per-host", "3"}} {
		var now, most atomic.Int64
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
			n := now.Add(1)
			defer now.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			for range 5 {
				time.Sleep(10 * time.Microsecond) // others may come meanwhile
			}
		})
		args := flags
		for i := range 50 {
			args = append(args, fmt.Sprint(srv.URL, "/", i))
		}
		fetch(t, "", args...).want(t, exitOK, "50 pages")
		if n := most.Load(); n > 3 {
			t.Errorf("%v: %d at a time", flags, n)
		}
	}
}

// TestRetries: failures that may pass are tried again, others are not.
func TestRetries(t *testing.T) {
	var mu sync.Mutex
	tries := map[string]int{}
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		tries[r.URL.Path]++
		n := tries[r.URL.Path]
		mu.Unlock()
		w.Header().Set("Retry-After", "0")
		switch kind := r.URL.Path; {
		case kind == "/never":
			w.WriteHeader(503)
		case kind == "/missing":
			w.WriteHeader(404)
		case kind == "/later":
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		case kind == "/busy" && n < 3:
			w.WriteHeader(503)
		default:
			_, _ = io.WriteString(w, "content")
		}
	})
	args := []string{"-retries", "2"}
	for _, kind := range []string{"/never", "/missing", "/later", "/busy", "/fine"} {
		args = append(args, srv.URL+kind)
	}
	r := fetch(t, "", args...)
	r.want(t, exitFailed, "/busy (3 tries)\n", "/never (3 tries): 503 Service Unavailable\n", "/missing: 404 Not Found\n",
		"/later: 429 Too Many Requests\n", "2 pages, 14 B in", "3 failed")
	if tries["/later"] != 1 || tries["/missing"] != 1 || tries["/never"] != 3 || tries["/fine"] != 1 {
		t.Errorf("tries: %v", tries)
	}
}

// TestBrokenConnections: a connection that is cut before the answer, and in the middle of a page,
// is one to try again; and no half page is saved.
func TestBrokenConnections(t *testing.T) {
	var n atomic.Int64
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "whole")
	})
	srv.Config.ErrorLog = nil
	dir := t.TempDir()
	fetch(t, "", "-save", dir, srv.URL+"/page").want(t, exitOK, "/page (3 tries)")
	if files := tree(t, dir); len(files) != 1 || files[srv.Listener.Addr().String()+"/page"] != "whole" {
		t.Errorf("files: %v", files)
	}
	n.Store(1)
	fetch(t, "", "-save", dir, "-retries", "0", srv.URL+"/other").want(t, exitFailed, "unexpected EOF")
	if files := tree(t, dir); len(files) != 1 {
		t.Errorf("files: %v", files)
	}
}

// TestSave: names by host and path, none outside, none twice, none replaced unless asked for.
func TestSave(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.RequestURI())
	})
	dir := filepath.Join(t.TempDir(), "new")
	host := srv.Listener.Addr().String()
	get := func(code int, args ...string) {
		t.Helper()
		fetch(t, "", append([]string{"-n", "1", "-save", dir}, args...)...).want(t, code)
	}
	get(exitOK, srv.URL, srv.URL+"/a/b", srv.URL+"/a/b/c", srv.URL+"/d/?q=%2F..%2F", srv.URL+"/%2e%2e/%2e%2e/etc/passwd",
		srv.URL+"/x%2F..%2Fy", srv.URL+"/a/b", srv.URL+"/"+strings.Repeat("long", 100))
	files := tree(t, dir)
	names := []string{}
	for name := range files {
		names = append(names, strings.TrimPrefix(name, host+"/"))
	}
	slices.Sort(names)
	want := []string{
		"_../_../etc/passwd", "a/b", "a/b.1", "a_b_c", "d/index.html@q=%2F..%2F", "index.html", strings.Repeat("long", 50),
		"x/_../y",
	}
	if !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	if files[host+"/a/b"] != "/a/b" || files[host+"/a_b_c"] != "/a/b/c" {
		t.Errorf("contents: %v", files)
	}
	if err := os.WriteFile(filepath.Join(dir, host, "a/b"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	get(exitOK, srv.URL+"/a/b")
	if files := tree(t, dir); files[host+"/a/b"] != "mine" || files[host+"/a/b.2"] != "/a/b" {
		t.Errorf("contents: %v", files)
	}
	get(exitOK, "-overwrite", srv.URL+"/a/b")
	if files := tree(t, dir); files[host+"/a/b"] != "/a/b" {
		t.Errorf("contents: %v", files)
	}
	get(exitFailed, "-max-size", "3", srv.URL+"/large")
	if files := tree(t, dir); files[host+"/large"] != "" {
		t.Errorf("contents: %v", files)
	}
}

// TestNoEscape: a link in the directory leads nowhere outside.
func TestNoEscape(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, srv.Listener.Addr().String())); err != nil {
		t.Fatal(err)
	}
	fetch(t, "", "-save", dir, srv.URL+"/f").want(t, exitFailed, "not saved")
	if files := tree(t, outside); len(files) != 0 {
		t.Errorf("outside: %v", files)
	}
}

// TestUsage: what is wrong is told before anything is fetched.
func TestUsage(t *testing.T) {
	for text, args := range map[string][]string{
		"no URL is given":                nil,
		"only http and https are known":  {"ftp://example.com/"},
		"no host":                        {"http:///x"},
		"-progress x":                    {"-progress", "x", "example.com"},
		"no such file":                   {"-i", "/nonexistent/list"},
		"-n and -timeout":                {"-n", "0", "example.com"},
		"flag provided but not defined":  {"-x"},
		"-:2: gopher://x: only http and": {"-i", "-"},
	} {
		fetch(t, "http://127.0.0.1:1/\ngopher://x\n", args...).want(t, exitUsage, text)
	}
	fetch(t, "", "-h").want(t, exitOK, "usage: fetch")
}

// TestBar: a bar is taken away before a line, and at the end. What a server says does nothing to a
// terminal.
func TestBar(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	r := fetch(t, "", "-progress", "bar", "-retries", "0", srv.URL+"/a", "http://127.0.0.1:1/\u009b")
	r.want(t, exitFailed, "\r[", "] 0/2", "\r\x1b[K1 page, 0 B in ", "1 failed")
	if strings.ContainsAny(r.out, "\x1b\u009b") {
		t.Errorf("%q", r.out)
	}
	if r := fetch(t, "", "-progress", "none", srv.URL); r.out+r.err != "" {
		t.Errorf("%q %q", r.out, r.err)
	}
}

// TestSizes: three digits, whatever the size.
func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1 kB", 1234: "1.23 kB", 999_499: "999 kB", 999_500: "1 MB", 1 << 40: "1.1 TB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// TestPauses: longer each time, as a server asks, and not for what would not pass.
func TestPauses(t *testing.T) {
	for tries := 1; tries < 100; tries++ {
		most := longestPause
		if tries < 8 {
			most = firstPause << (tries - 1)
		}
		pause, again := pauseAfter(io.ErrUnexpectedEOF, tries, "")
		if !again || pause < most/2 || pause > most {
			t.Errorf("after %d tries: %v, %v", tries, pause, again)
		}
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, "Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Thu, 01 Jan 2026 00:00:00 GMT": 0,
	} {
		if got, ok := retryAfter(text, now); got != want || !ok {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-1", "soon", "99999999999999999999"} {
		if got, ok := retryAfter(text, now); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
	if _, again := pauseAfter(context.Canceled, 1, ""); again {
		t.Error("canceled, and tried again")
	}
}

// TestInterrupt: SIGINT ends the program at once, in the middle of pages, and it tells what is
// missing and leaves no half page.
func TestInterrupt(t *testing.T) {
	begun := make(chan struct{}, 10)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fine" {
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-r.Context().Done()
	})
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-n", "3", "-save", dir, srv.URL+"/fine", srv.URL+"/1", srv.URL+"/2", srv.URL+"/3", srv.URL+"/4")
	cmd.Env = append(os.Environ(), "WEFT_FETCH=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-begun
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	r := result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	r.want(t, exitInterrupted, "1 page, ", "4 not got", "fetch: interrupted")
	if files := tree(t, dir); len(files) != 1 {
		t.Errorf("files: %v", files)
	}
}
