//go:build unix

package storage

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestOpenLookingAtFIFO is what happens when a file is swapped for a FIFO just before it is opened.
func TestOpenLookingAtFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/fifo", 0o666); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_WRONLY | os.O_APPEND} {
		done := make(chan error, 1)
		go func() {
			_, err := openLooking(root, "fifo", flag)
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(cause(err), ErrNotRegular) {
				t.Errorf("flag %#x: %v", flag, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("flag %#x: the open waits", flag)
		}
	}
}
