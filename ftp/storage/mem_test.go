package storage_test

import (
	"errors"
	"io"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/ftp/storage/storagetest"
)

func TestMem(t *testing.T) {
	open := func(*testing.T) storage.FS { return storage.NewMem() }
	storagetest.Run(t, open)
	storagetest.RunAtomic(t, open)
}

func TestMemReadOnly(t *testing.T) {
	storagetest.RunReadOnly(t, func(t *testing.T) (_, _ storage.FS) {
		m := storage.NewMem()
		view, err := m.Sub("/")
		if err != nil {
			t.Fatal(err)
		}
		return m, storage.ReadOnly(view)
	})
}

// TestMemHugeFile checks that a client's word does not take the machine's memory.
func TestMemHugeFile(t *testing.T) {
	m := storage.NewMem()
	put(t, m, "/f", storage.WriteReplace, "x")
	for _, size := range []int64{1<<30 + 1, 1<<63 - 1} {
		if err := m.Truncate("/f", size); !errors.Is(err, storage.ErrNoSpace) {
			t.Fatalf("Truncate to %d: %v", size, err)
		}
	}
}

// TestMemCapacity counts every byte through every operation that can change the sum.
func TestMemCapacity(t *testing.T) {
	m := storage.NewMem()
	m.SetCapacity(10)
	write := func(path string, mode storage.WriteMode, data string) (storage.Upload, error) {
		u, err := m.Create(path, mode, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(u, data)
		return u, err
	}
	full := func(path string, mode storage.WriteMode, data string) {
		t.Helper()
		u, err := write(path, mode, data)
		if !errors.Is(err, storage.ErrNoSpace) {
			t.Fatalf("%v of %d bytes: %v, want %v", mode, len(data), err, storage.ErrNoSpace)
		}
		if err := u.Abort(); err != nil {
			t.Fatal(err)
		}
	}
	fits := func(path string, mode storage.WriteMode, data string) {
		t.Helper()
		u, err := write(path, mode, data)
		if err := errors.Join(err, u.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	full("/f", storage.WriteReplace, "01234567890")
	fits("/f", storage.WriteReplace, "012345") // 6 used
	full("/f", storage.WriteReplace, "01234")  // the old one is there until Commit
	fits("/f", storage.WriteReplace, "0123")   // 4
	fits("/f", storage.WriteAppend, "45")      // 6
	full("/f", storage.WriteAppend, "67890")
	full("/g", storage.WriteExclusive, "67890")
	fits("/g", storage.WriteExclusive, "6789") // 10
	full("/h", storage.WriteReplace, "x")
	if err := errors.Join(m.Truncate("/g", 1), m.Truncate("/g", 4)); err != nil { // 10
		t.Fatal(err)
	}
	if err := m.Truncate("/g", 5); !errors.Is(err, storage.ErrNoSpace) {
		t.Fatal(err)
	}
	if err := m.Rename("/g", "/f"); err != nil { // 4
		t.Fatal(err)
	}
	fits("/h", storage.WriteReplace, "012345") // 10
	if err := errors.Join(m.Remove("/h"), m.Remove("/f")); err != nil {
		t.Fatal(err)
	}
	fits("/all", storage.WriteReplace, "0123456789")
	m.SetCapacity(-1)
	fits("/more", storage.WriteReplace, "0123456789")
}
