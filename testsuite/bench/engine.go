package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/weft-go/weft/testsuite/bench/peers"
)

// An engine is one of the contenders: a way to run many conversations. Its methods contain the whole
// measured loop, so that no call through the interface is measured with it. Each is called once in a
// process of its own, with GOMAXPROCS=1, and uses one worker.
type engine interface {
	// yield has tasks give way to one another until each has done so yields times, and returns how
	// long that took. There are tasks*yields switches in it.
	yield(tasks, yields int) (time.Duration, error)

	// token has two tasks hand a token back and forth and returns how long trips round trips took.
	token(trips int) (time.Duration, error)

	// spawn starts batch empty tasks and waits until all have finished, batches times over.
	spawn(batch, batches int) (time.Duration, error)

	// park calls parked once n tasks wait for something, then lets them go and waits for their end.
	park(n int, parked func()) error

	// sleep has n tasks sleep times times for d.
	sleep(n, times int, d time.Duration) error

	// waits are the ways to wait for one another, of which measureWait's callers know the names.
	waits() []wait

	// serve listens on a free port of 127.0.0.1, announces the address, and runs the echo session on
	// each connection, for ever.
	serve(announce func(addr string)) error

	// run is serve with another service.
	run(s service, announce func(addr string)) error
}

// The names of the contenders, as flags and columns have them.
const (
	weftName      = "weft"
	goroutineName = "goroutines"
	referenceName = "C epoll" // a program of its own, not an engine
	gnetName      = "gnet"    // serves echo only, as the next one
	netpollName   = "netpoll"
)

var engines = []struct {
	name string
	engine
}{
	{weftName, weftEngine{}},
	{goroutineName, goroutineEngine{}},
}

// echoServers are the other contenders in serving echo.
var echoServers = map[string]func(announce func(addr string)) error{
	gnetName:    peers.Gnet,
	netpollName: peers.Netpoll,
}

// engineNamed finds an engine for a child process.
func engineNamed(name string) (engine, error) {
	for _, e := range engines {
		if e.name == name {
			return e.engine, nil
		}
	}
	return nil, fmt.Errorf("no engine %q", name)
}

// contenders are the sides of every row, in the order they are measured.
var contenders = []string{weftName, goroutineName}

// contendersAndReference are the sides of the echo rows.
var contendersAndReference = append(slices.Clone(contenders), referenceName)
