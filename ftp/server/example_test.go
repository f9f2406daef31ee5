package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	stdnet "net"
	"net/netip"
	"net/textproto"
	"strings"

	"github.com/weft-go/weft/ftp"
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

// A server behind address translation, in a network of its own: clients outside
// are told the public address, those inside the one they have connected to.
func ExamplePublicNetwork() {
	cfg := server.Config{
		Engine:       server.Goroutines(),
		Auth:         &auth.Anonymous{Perms: auth.ReadOnly},
		Root:         storage.NewMem(),
		Logger:       slog.New(slog.DiscardHandler),
		PassivePorts: server.PortRange{Lo: 40000, Hi: 40999},
		PublicHost:   "203.0.113.7", // or a name
		PublicNetworks: []server.PublicNetwork{
			{Clients: netip.MustParsePrefix("192.168.0.0/16")},
			{Clients: netip.MustParsePrefix("127.0.0.0/8"), Host: "198.51.100.1"},
		},
	}
	srv, err := server.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	l, err := cfg.Engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go srv.Serve(l) // returns ErrServerClosed after Close

	c, err := textproto.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	_ = c.PrintfLine("USER ftp\r\nPASS me@\r\nPASV") // ReadResponse tells
	for _, code := range []int{220, 331, 230, 227} {
		_, text, err := c.ReadResponse(code)
		if err != nil {
			log.Fatal(err)
		}
		if at, err := ftp.Parse227(text); err == nil {
			fmt.Println(at.Addr(), at.Port() >= 40000 && at.Port() <= 40999)
		}
	}
	fmt.Printf("%+v\n", srv.Stats())
	// Output:
	// 198.51.100.1 true
	// {Sessions:1 Pending:0 Users:1 PassivePorts:1}
}

func ExampleConfigError() {
	_, err := server.New(server.Config{
		Auth:         &auth.Anonymous{},
		Root:         storage.NewMem(),
		PassivePorts: server.PortRange{Lo: 40000}, // and its end?
	})
	fmt.Println(err)
	// Output: server: config: PassivePorts: expected two ports, LO-HI
}

// Two servers, for two trees, with one set of limits.
func ExampleNewRegister() {
	limits := server.NewRegister(server.Config{MaxSessions: 1})
	greet := func(greeting string) (*server.Server, string) {
		srv, err := server.New(server.Config{
			Engine: server.Goroutines(), Auth: &auth.Anonymous{}, Root: storage.NewMem(),
			Greeting: greeting, Register: limits, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			log.Fatal(err)
		}
		l, err := stdnet.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		go srv.Serve(l) // returns ErrServerClosed after Close
		c, err := textproto.Dial("tcp", l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		line, err := c.ReadLine()
		if err != nil {
			log.Fatal(err)
		}
		return srv, line
	}
	one, line := greet("One is ready.")
	defer one.Close()
	fmt.Println(line)
	two, line := greet("Two is ready.")
	defer two.Close()
	fmt.Println(line)
	// Output:
	// 220 One is ready.
	// 421 Too many connections.
}
