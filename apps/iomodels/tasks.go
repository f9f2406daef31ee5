package main

import (
	"context"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
)

// serveTasks has a task for each connection, which reads as the code of a thread does.
func serveTasks(announce func(string)) error {
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(l.Addr().String())
	srv := &server.StreamServer{Handler: func(c net.Conn) {
		var buf [bufferSize]byte
		for {
			n, err := c.Read(buf[:])
			if err != nil {
				return
			}
			upper(buf[:n])
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
	}}
	return rt.Run(func() error { return srv.Serve(l) })
}
