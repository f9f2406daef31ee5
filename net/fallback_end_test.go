package net

import (
	"io"
	"testing"
)

// TestRaceEnd: of the connections that racers bring, those that nobody took are
// closed, before the end of the race and after it.
func TestRaceEnd(t *testing.T) {
	r := new(race)
	var peers []Conn
	bring := func() {
		conn, peer := Pipe()
		peers = append(peers, peer)
		r.finish(finish{conn: conn})
	}
	bring()
	bring()
	won, err := r.next(0)
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	bring()
	for _, peer := range peers[1:] {
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("a loser is open: %v", err)
		}
	}
	go func() { _ = won.conn.Close() }()
	if _, err := peers[0].Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}
