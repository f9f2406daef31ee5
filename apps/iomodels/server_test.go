package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
	"unsafe"
)

// serving starts the server of each model for a test.
func serving(t *testing.T, test func(t *testing.T, ctx context.Context, address string)) {
	t.Parallel()
	for _, m := range models {
		t.Run(m.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			server, address, err := start(ctx, 1, "serve", m.name)
			if errors.Is(err, errRefused) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			test(t, ctx, address)
			if err := server.stop(); err != nil {
				t.Errorf("the server: %v", err)
			}
		})
	}
}

// TestSlowReader: a client that does not take its answers does not keep the others from theirs, and gets all
// of them in the end.
func TestSlowReader(t *testing.T) {
	serving(t, func(t *testing.T, ctx context.Context, address string) {
		slow, err := dial(ctx, address, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer slow.conn.Close()
		content := bytes.Repeat([]byte("abcdefghijklmnop"), 1<<20) // more than the kernel keeps
		written := make(chan error, 1)
		go func() {
			_, err := slow.conn.Write(content)
			written <- errors.Join(err, slow.conn.CloseWrite())
		}()
		others, err := dialCrowd(ctx, address, 3, 100)
		if err != nil {
			t.Fatal(err)
		}
		defer others.close()
		if err := others.exchange(100); err != nil {
			t.Error(err)
		}
		select {
		case err := <-written:
			t.Errorf("all was taken: %v", err)
		default:
		}
		got, err := io.ReadAll(slow.conn)
		if err != nil || !bytes.Equal(got, bytes.ToUpper(content)) {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	})
}

// TestNoise: every byte comes back, letters in upper case, however the reads fall.
func TestNoise(t *testing.T) {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	want := slices.Clone(all)
	for b := byte('a'); b <= 'z'; b++ {
		want[b] -= 'a' - 'A'
	}
	serving(t, func(t *testing.T, ctx context.Context, address string) {
		c, err := dial(ctx, address, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		for part := range slices.Chunk(all, 7) {
			if _, err := c.conn.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, len(all))
		if _, err := io.ReadFull(c.conn, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// TestRingLayout: the structures are as long as the kernel's.
func TestRingLayout(t *testing.T) {
	if a, b, c := unsafe.Sizeof(ringParams{}), unsafe.Sizeof(submission{}), unsafe.Sizeof(completion{}); a != 120 || b != 64 || c != 16 {
		t.Errorf("io_uring_params has %d bytes, io_uring_sqe %d, io_uring_cqe %d", a, b, c)
	}
}
