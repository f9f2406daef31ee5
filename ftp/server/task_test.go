package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// A runtime that ends under a server kills its sessions wherever they wait, and
// they still clean up.
func TestKilled(t *testing.T) {
	before := runtimetest.TakeCensus()
	t.Cleanup(func() { before.Compare(t) })
	root := t.TempDir()
	store, err := storage.OpenOSRoot(root, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := runtime.New(runtime.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	e := server.Tasks(rt)
	var cfg server.Config
	twoUsers(&cfg)
	cfg.Root, cfg.Engine, cfg.Logger = store, e, slog.New(slog.DiscardHandler)
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

	f := &fixture{t: t, srv: srv, addr: l.Addr().String(), root: root}
	f.big("big")
	login := func() *client {
		c := f.dial()
		c.cmd(331, "USER writer")
		c.cmd(230, "PASS writer")
		c.cmd(200, "TYPE I")
		return c
	}
	clients := []*client{f.dial(), login()}
	for _, line := range []string{"RETR big", "STOR up"} {
		c := login()
		c.begin(line)
		clients = append(clients, c)
	}
	c := login()
	c.cmd(229, "EPSV")
	c.cmd(150, "STOR up2")
	clients = append(clients, c)
	c = f.dial()
	c.cmd(331, "USER writer")
	c.send("PASS wrong") // in its delay
	clients = append(clients, c)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := rt.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-served; !errors.Is(err, runtime.ErrKilled) {
		t.Errorf("Serve: %v", err)
	}
	for _, c := range clients {
		c.expectClosed()
	}
	if got := fmt.Sprint(f.names()); got != "[big]" {
		t.Errorf("left %s", got)
	}
	if srv.Sessions() != 0 {
		t.Errorf("%d sessions", srv.Sessions())
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	store.Close()
}
