package server_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// A runtime that ends under sessions that hash and copy kills them, those that wait
// for their turn to read too, and nothing of a copy is left.
func TestKilledAtWork(t *testing.T) {
	before := runtimetest.TakeCensus()
	t.Cleanup(func() { before.Compare(t) })
	rt, err := runtime.New(runtime.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	e := server.Tasks(rt)
	mem := storage.NewMem()
	var cfg server.Config
	twoUsers(&cfg)
	cfg.Root, cfg.Engine, cfg.Logger = boundless{mem}, e, slog.New(slog.DiscardHandler)
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := e.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	e.GoBalanced(func() { served <- srv.Serve(l) })

	f := &fixture{t: t, srv: srv, addr: l.Addr().String()}
	var clients []*client
	for i := range 8 {
		c := f.dial()
		c.cmd(331, "USER writer")
		c.cmd(230, "PASS writer")
		work := "HASH /file, "
		if i < 2 {
			c.cmd(350, "SITE CPFR file")
			c.send("SITE CPTO copy")
			work = "SITE CPTO /copy, "
		} else {
			c.send("HASH file")
		}
		eventually(t, work, func() bool { return strings.Contains(c.cmd(211, "STAT").Text(), work) })
		clients = append(clients, c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := rt.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	<-served
	for _, c := range clients {
		c.expectClosed()
	}
	if srv.Sessions() != 0 {
		t.Errorf("%d sessions", srv.Sessions())
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	d, err := mem.OpenDir("/")
	if err != nil {
		t.Fatal(err)
	}
	if left, err := d.Next(10); err != io.EOF {
		t.Errorf("left %v, %v", left, err)
	}
	d.Close()
}

// boundless has one file, whose end is far, and takes copies of it without keeping
// them.
type boundless struct{ *storage.Mem }

func (boundless) Open(string) (storage.File, error) { return farEnd{}, nil }

func (boundless) Stat(string) (storage.Entry, error) { return farEnd{}.Stat() }

func (b boundless) Create(path string, mode storage.WriteMode, offset int64) (storage.Upload, error) {
	u, err := b.Mem.Create(path, mode, offset)
	return forgetful{u}, err
}

type forgetful struct{ storage.Upload }

func (forgetful) Write(p []byte) (int, error) { return len(p), nil }

type farEnd struct{ storage.File }

func (farEnd) Stat() (storage.Entry, error) { return storage.Entry{Name: "file", Size: 1 << 60}, nil }
func (farEnd) Read(p []byte) (int, error)   { return len(p), nil }
func (farEnd) Close() error                 { return nil }
