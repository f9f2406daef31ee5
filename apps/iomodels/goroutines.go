package main

import stdnet "net"

// serveGoroutines is the usual server in Go.
func serveGoroutines(announce func(string)) error {
	l, err := stdnet.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
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
		}()
	}
}
