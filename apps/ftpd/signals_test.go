package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// A SIGHUP that comes before anything is served ends nobody: here ftpd waits for its file of
// users.
func TestEarlyHangup(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "users")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-root", t.TempDir(), "-addr", "127.0.0.1:0", "-users", fifo)
	d := start(t, "", cmd)
	wrote := make(chan error, 1)
	go func() {
		w, err := os.OpenFile(fifo, os.O_WRONLY, 0) // waits for ftpd to read
		if err == nil {
			err = cmd.Process.Signal(syscall.SIGHUP)
			_, werr := io.WriteString(w, "# nobody\n")
			err = errors.Join(err, werr, w.Close())
		}
		wrote <- err
	}()
	d.await()
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	if code := d.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit status %d", code)
	}
}
