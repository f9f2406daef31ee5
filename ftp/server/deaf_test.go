package server

import (
	"io"
	"log/slog"
	stdnet "net"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/storage"
)

// hurried is a connection whose writes have no time, once they have a limit at
// all.
type hurried struct{ stdnet.Conn }

func (c hurried) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() {
		t = time.Now()
	}
	return c.Conn.SetWriteDeadline(t)
}

// A client that reads no replies loses its session: no write waits for ever.
func TestDeafClient(t *testing.T) {
	for _, sent := range []string{"", "NOOP\r\nHELP\r\n", "USER u\r\nPASS u\r\nSTAT /\r\n"} {
		srv, err := New(Config{Engine: Goroutines(), Auth: anyone{}, Root: storage.NewMem(), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := stdnet.Pipe()
		defer ours.Close()
		s := newSession(srv, hurried{theirs})
		if refused := srv.add(s); refused != nil {
			t.Fatal(refused)
		}
		go func() { _, _ = io.WriteString(ours, sent) }() // it may not be read
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.run()
		}()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatalf("after %q the session goes on", sent)
		}
		if srv.Sessions() != 0 {
			t.Error("the session is still counted")
		}
	}
}
