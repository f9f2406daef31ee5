package net_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestEndsAtOnce (own behaviour 8): the deadline of a connection, the timeout of the
// task and its kill come at the same instant, with a byte from the peer. The read ends
// in one of these ways, and the byte is read once, there or after it.
func TestEndsAtOnce(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		n := implementation{"task", rt, listenOurs, dialOurs}
		a, b := n.connected(t, "tcp")
		for i := range 200 {
			at := time.Now().Add(time.Duration(i%5) * 200 * time.Microsecond)
			if err := b.SetReadDeadline(at); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 1)
			got, ends := 0, 0
			task := runtime.Spawn(func() {
				_ = runtime.WithTimeout(time.Until(at), func() error {
					m, err := b.Read(buf)
					got += m
					if ends++; (m == 1) != (err == nil) {
						t.Errorf("read %d, %v", m, err)
					}
					return err
				})
			})
			killer := runtime.SpawnAfter(time.Until(at), func() { task.Kill(nil) })
			writer := runtime.SpawnAfter(time.Until(at), func() {
				if _, err := a.Write([]byte{byte(i)}); err != nil {
					t.Error(err)
				}
			})
			_ = runtime.JoinAll(killer, writer, task)
			_ = b.SetReadDeadline(time.Time{})
			if got == 0 {
				if _, err := io.ReadFull(b, buf); err != nil {
					t.Fatal(err)
				}
			}
			if buf[0] != byte(i) || ends > 1 {
				t.Fatalf("round %d: byte %d, %d ends", i, buf[0], ends)
			}
		}
	})
}

// TestFromEverywhere (own behaviour 12, D83): a goroutine reads while a task writes, on
// one connection; a goroutine's SetDeadline wakes the task's Read, and its Close ends
// it with net.ErrClosed (D80).
func TestFromEverywhere(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		n := implementation{"task", rt, listenOurs, dialOurs}
		a, b := n.connected(t, "tcp")
		content := pattern(4 << 20)
		echo := runtime.Spawn(func() { _, _ = io.CopyN(b, onlyReader{b}, int64(len(content))) })
		read := make(chan []byte, 1)
		go func() {
			got := make([]byte, len(content))
			_, _ = io.ReadFull(a, got)
			read <- got
		}()
		if m, err := a.Write(content); m != len(content) || err != nil {
			t.Errorf("wrote %d, %v", m, err)
		}
		got, err := runtime.Await(func() ([]byte, error) { return <-read, nil })
		if err != nil || string(got) != string(content) {
			t.Errorf("%d bytes, or others; %v", len(got), err)
		}
		_ = echo.Join()

		late := runtime.Async(func() (int, error) { return a.Read(make([]byte, 1)) })
		waiting(t, rt, "readable", 1)
		go a.SetReadDeadline(past)
		if _, err := late.Get(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("deadline: %v", err)
		}
		_ = a.SetReadDeadline(time.Time{}) // D82: it is of use after that
		if _, err := b.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(a, make([]byte, 1)); err != nil {
			t.Errorf("after the deadline: %v", err)
		}
		reader := runtime.Async(func() (int, error) { return a.Read(make([]byte, 1)) })
		waiting(t, rt, "readable", 1)
		go a.Close()
		if _, err := reader.Get(); !errors.Is(err, stdnet.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// TestTwoReaders: a second reader of one connection waits for its turn and disturbs
// nobody, as with the standard library (D81, where gevent refuses it).
func TestTwoReaders(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		n := implementation{"task", rt, listenOurs, dialOurs}
		a, b := n.connected(t, "tcp")
		read := func() (byte, error) {
			buf := make([]byte, 1)
			_, err := io.ReadFull(b, buf)
			return buf[0], err
		}
		first := runtime.Async(read)
		waiting(t, rt, "readable", 1)
		second := runtime.Async(read)
		runtime.Yield()
		if _, err := a.Write([]byte("12")); err != nil {
			t.Error(err)
		}
		for i, f := range []*runtime.Future[byte]{first, second} {
			if got, err := f.Get(); got != "12"[i] || err != nil {
				t.Errorf("reader %d: %q, %v", i, got, err)
			}
		}
	})
}

// TestHTTPClient (own behaviour 14): the standard library's HTTP client with our dialer,
// from goroutines, and from tasks by Await, since it waits on Go channels.
func TestHTTPClient(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	defer srv.Close()
	transport := &http.Transport{DialContext: new(net.Dialer).DialContext}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	get := func() (string, error) {
		resp, err := client.Get(srv.URL)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return resp.Status, err
	}
	if status, err := get(); status != "200 OK" || err != nil {
		t.Errorf("goroutine: %s, %v", status, err)
	}
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		var all []*runtime.Task
		for range 10 {
			all = append(all, runtime.Spawn(func() {
				if status, err := runtime.Await(get); status != "200 OK" || err != nil {
					t.Errorf("task: %s, %v", status, err)
				}
			}))
		}
		_ = runtime.JoinAll(all...)
	})
}
