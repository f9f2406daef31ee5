package main

import "io"

// echoBuffer is what a session reads at most at a time. It is small, as it counts in the memory of
// both sides alike and would hide the difference.
const echoBuffer = 1024

// echo is the session, the same function on every engine: plain sequential code.
func echo(c io.ReadWriteCloser) {
	defer c.Close()
	buf := make([]byte, echoBuffer)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}
