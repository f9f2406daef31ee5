package server_test

import (
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
)

// zeros gives zeros for ever.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A file of a gigabyte goes up and down in the memory of a small one.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("a gigabyte")
	}
	const size = 1 << 30
	const room = 48 << 20
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		if err := os.WriteFile(filepath.Join(f.root, "down"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(f.root, "down"), size); err != nil {
			t.Fatal(err)
		}
		c := f.login()
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)

		began := time.Now()
		d := c.begin("RETR down")
		_ = d.SetDeadline(time.Time{})
		if n, err := io.Copy(io.Discard, d); err != nil || n != size {
			t.Fatalf("%d bytes, %v", n, err)
		}
		c.expect(226)
		t.Logf("down in %v", time.Since(began))

		began = time.Now()
		d = c.begin("STOR up")
		_ = d.SetDeadline(time.Time{})
		if _, err := io.CopyN(d, zeros{}, size); err != nil {
			t.Fatal(err)
		}
		d.Close()
		c.expect(226)
		t.Logf("up in %v", time.Since(began))

		if info, err := os.Stat(filepath.Join(f.root, "up")); err != nil || info.Size() != size {
			t.Errorf("%v, %v", info, err)
		}
		goruntime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > room {
			t.Errorf("the heap grew by %d MiB", grown>>20)
		}
		if err := os.Remove(filepath.Join(f.root, "up")); err != nil {
			t.Fatal(err)
		}
	})
}
