package poll

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWritev: all parts arrive, though there are more than a system call takes and
// than the socket holds, and are taken out of the list.
func TestWritev(t *testing.T) {
	eachPair(t, func(t *testing.T, writing, reading place) {
		a, b := socketPair(t)
		var want []byte
		var parts [][]byte
		for i := range 5000 {
			p := bytes.Repeat([]byte{byte(i)}, i%300)
			want = append(want, p...)
			parts = append(parts, p)
		}
		got := make([]byte, len(want))
		read := reading.call(func() (int, error) {
			for m := 0; m < len(got); {
				n, err := b.Read(got[m:])
				if m += n; err != nil {
					return m, err
				}
			}
			return len(got), nil
		})
		wrote := <-writing.call(func() (int, error) {
			n, err := a.Writev(&parts)
			return int(n), err
		})
		if wrote.n != len(want) || wrote.err != nil || len(parts) != 0 {
			t.Errorf("Writev = %d, %v, %d parts left", wrote.n, wrote.err, len(parts))
		}
		if r := <-read; r.err != nil || !bytes.Equal(got, want) {
			t.Errorf("read: %v; the data differ", r.err)
		}
	})
}

// TestWritevEnds: a wait in the middle ends by a deadline and by Close; the parts
// that are left are those that were not written.
func TestWritevEnds(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		for name, c := range map[string]struct {
			end  func(*FD) error
			want error
		}{
			"deadline": {func(fd *FD) error { return fd.SetWriteDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
			"close":    {(*FD).Close, ErrClosed},
		} {
			a, b := socketPair(t)
			const total = 8 << 20
			var parts [][]byte
			for range total >> 12 {
				parts = append(parts, make([]byte, 1<<12))
			}
			wrote := p.call(func() (int, error) {
				n, err := a.Writev(&parts)
				return int(n), err
			})
			if _, err := b.Read(make([]byte, 1)); err != nil { // it has begun
				t.Fatal(err)
			}
			if err := c.end(a); err != nil {
				t.Error(err)
			}
			r := <-wrote
			left := 0
			for _, p := range parts {
				left += len(p)
			}
			if !errors.Is(r.err, c.want) || r.n == 0 || r.n+left != total {
				t.Errorf("%s: %d written, %d left, %v", name, r.n, left, r.err)
			}
			if _, err := a.Writev(&parts); !errors.Is(err, c.want) {
				t.Errorf("%s: the next one: %v", name, err)
			}
		}
	})
}

// TestWritevError: an error of the system call is returned.
func TestWritevError(t *testing.T) {
	a, b := socketPair(t)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	parts := [][]byte{{1}, {2}}
	if n, err := a.Writev(&parts); n != 0 || err != unix.EPIPE || len(parts) != 2 {
		t.Errorf("%d, %v", n, err)
	}
}
