package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	stdnet "net"
	"strings"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

func Example() {
	root, err := storage.OpenOSRoot(".", storage.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer root.Close()
	users, err := auth.NewSingle(auth.Identity{Name: "alice", Home: "/", Perms: auth.ReadOnly}, "open sesame")
	if err != nil {
		log.Fatal(err)
	}
	srv, err := server.New(server.Config{
		Auth:     users,
		Root:     root,
		Greeting: "Hello.",
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}

	// A program would call srv.ListenAndServe("127.0.0.1:2121") and be done.
	engine := server.Tasks(nil)
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()

	c, err := stdnet.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	greeting, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.TrimSpace(greeting))

	if err := srv.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(<-served, server.ErrServerClosed))
	// Output:
	// 220 Hello.
	// true
}
