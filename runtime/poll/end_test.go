package poll

import (
	"context"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestRuntimeEnds: goroutines that wait for a descriptor whose home runtime ends
// go on elsewhere, in either direction; so does the descriptor.
func TestRuntimeEnds(t *testing.T) {
	keeper := runtimetest.New(t, 1) // takes the census, and is the next home
	for range 10 {
		rt, err := runtime.New(runtime.Config{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		fd, peer := socketPair(t)
		settle(t, rt, fd, peer)
		total := fill(t, fd)
		read := place{}.call(func() (int, error) { return fd.Read(make([]byte, 1)) })
		parked(t, fd, dirRead)
		write := place{}.call(func() (int, error) { return fd.Write(make([]byte, 1)) })
		parked(t, fd, dirWrite)
		ctx, cancel := context.WithTimeout(context.Background(), runtimetest.Patience)
		if err := rt.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		parked(t, fd, dirRead)
		parked(t, fd, dirWrite)
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if res := <-read; res != (result{1, nil}) {
			t.Errorf("Read = %v", res)
		}
		for n := 0; n <= total; {
			m, err := peer.Read(make([]byte, 1<<16))
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
		if res := <-write; res != (result{1, nil}) {
			t.Errorf("Write = %v", res)
		}
		settle(t, keeper, fd, peer)
		if err := fd.Close(); err != nil {
			t.Error(err)
		}
		gone(t, fd)
		if err := peer.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRuntimeEndsMeanwhile: a task of one runtime and a goroutine use a
// descriptor while the other runtime that is its home ends.
func TestRuntimeEndsMeanwhile(t *testing.T) {
	keeper := runtimetest.New(t, 1)
	for range 10 {
		rt, err := runtime.New(runtime.Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		fd, peer := socketPair(t)
		settle(t, rt, fd, peer)
		const rounds = 200
		done := place{}.call(func() (int, error) {
			buf := make([]byte, 1)
			for i := range rounds {
				if _, err := fd.Read(buf); err != nil {
					return i, err
				}
			}
			return rounds, nil
		})
		wrote := places(keeper)[1].call(func() (int, error) {
			for i := range rounds {
				if _, err := peer.Write([]byte("x")); err != nil {
					return i, err
				}
				runtime.Yield()
			}
			return rounds, nil
		})
		ctx, cancel := context.WithTimeout(context.Background(), runtimetest.Patience)
		if err := rt.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		for _, c := range []<-chan result{wrote, done} {
			if res := <-c; res != (result{rounds, nil}) {
				t.Error(res)
			}
		}
		_ = fd.Close()
		_ = peer.Close()
	}
}

// TestCloseWhileRuntimeEnds: a descriptor is closed, by a goroutine, while its
// home ends.
func TestCloseWhileRuntimeEnds(t *testing.T) {
	runtimetest.New(t, 1)
	for range 30 {
		rt, err := runtime.New(runtime.Config{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		var closes []<-chan result
		for range 8 {
			fd, peer := socketPair(t)
			settle(t, rt, fd, peer)
			read := place{}.call(func() (int, error) { return fd.Read(make([]byte, 1)) })
			closes = append(closes, place{}.call(func() (int, error) {
				err := fd.Close()
				if res := <-read; res.err != ErrClosed {
					t.Errorf("Read: %v", res.err)
				}
				gone(t, fd)
				_ = peer.Close()
				return 0, err
			}))
		}
		ctx, cancel := context.WithTimeout(context.Background(), runtimetest.Patience)
		if err := rt.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		for _, c := range closes {
			if res := <-c; res.err != nil {
				t.Error(res.err)
			}
		}
	}
}
