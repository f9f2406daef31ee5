package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
)

// A Room is where people talk. All its tasks must be of one worker: that is why there
// is no lock in it.
type Room struct {
	// Backlog is how many lines wait for one who does not read. Further ones he
	// misses: nobody waits for him.
	Backlog int

	people []*person // in the order they came
	said   int       // lines, for the counter that each one begins with
}

// person is somebody in the room.
type person struct {
	name  string
	lines *queue.Queue[string] // what he has not been sent yet
}

const maxName = 20

// Serve is a conversation: a name, then lines, until the client hangs up. A second task
// sends what others say.
func (r *Room) Serve(conn net.Conn) {
	in := bufio.NewScanner(conn)
	p := &person{lines: queue.New[string](r.Backlog)}
	if _, err := fmt.Fprintln(conn, "what is your name?"); err != nil || !in.Scan() {
		return
	}
	p.name = strings.TrimSpace(in.Text())
	if p.name == "" || len(p.name) > maxName || r.find(p.name) != nil {
		fmt.Fprintln(conn, "that is no name, or somebody else's")
		return
	}
	r.enter(p)
	defer r.leave(p)
	_ = runtime.WithScope(func(s *runtime.Scope) error {
		s.Spawn(func() error {
			for line := range p.lines.All() {
				if _, err := fmt.Fprintln(conn, line); err != nil {
					return err
				}
			}
			return nil
		})
		for in.Scan() {
			r.say(p.name + ": " + in.Text())
		}
		_ = p.lines.Close()
		return in.Err()
	})
}

// The following do not wait, so that no other task runs within one of them.

func (r *Room) find(name string) *person {
	for _, p := range r.people {
		if p.name == name {
			return p
		}
	}
	return nil
}

func (r *Room) enter(p *person) {
	r.people = append(r.people, p)
	r.say(p.name + " has come")
}

func (r *Room) leave(p *person) {
	r.people = slices.DeleteFunc(r.people, func(other *person) bool { return other == p })
	r.say(p.name + " has gone")
}

// say gives everybody a line, with its number. Who has too many waiting misses it.
func (r *Room) say(line string) {
	r.said++
	line = fmt.Sprintf("%d %s", r.said, line)
	for _, p := range r.people {
		_ = p.lines.TryPut(line)
	}
}
