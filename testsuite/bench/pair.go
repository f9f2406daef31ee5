package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A pair is a server child and a load child that is connected to it.
type pair struct {
	server *child
	load   *child
}

// startPair starts the echo server of one side and connects conns connections to it.
func (b *bench) startPair(ctx context.Context, side string, conns int) (*pair, error) {
	if side == referenceName {
		server, err := b.reference.start(ctx, b.machine.server)
		return b.connect(ctx, server, err, "-conns", strconv.Itoa(conns))
	}
	return b.startPairOf(ctx, side, "-conns", strconv.Itoa(conns))
}

// startPairOf starts two children of this program, both with args.
func (b *bench) startPairOf(ctx context.Context, side string, args ...string) (*pair, error) {
	server, err := startSelf(ctx, []int{b.machine.server}, childLimit, append([]string{"-serve", side}, args...)...)
	return b.connect(ctx, server, err, args...)
}

// connect starts the load child of a server, whose first line is the address.
func (b *bench) connect(ctx context.Context, server *child, err error, args ...string) (*pair, error) {
	if err != nil {
		return nil, err
	}
	p := &pair{server: server}
	if err := p.startLoad(ctx, b.machine.load, args); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// startLoad reads the server's address and starts the load child.
func (p *pair) startLoad(ctx context.Context, cpu int, args []string) error {
	addr, err := p.server.line()
	if err != nil {
		return err
	}
	p.load, err = startSelf(ctx, []int{cpu}, childLimit, append([]string{"-load", addr}, args...)...)
	if err != nil {
		return err
	}
	answer, err := p.load.line()
	if err != nil {
		return err
	}
	if answer != "ready" {
		return fmt.Errorf("the load generator said %q", answer)
	}
	return nil
}

// run loads the server for a window.
func (p *pair) run(warm, length time.Duration) (loadReport, error) {
	order, err := json.Marshal(loadOrder{Warm: warm, Length: length, ServerPID: p.server.pid()})
	if err != nil {
		return loadReport{}, err
	}
	if err := p.load.say(string(order)); err != nil {
		return loadReport{}, err
	}
	answer, err := p.load.line()
	if err != nil {
		return loadReport{}, err
	}
	var report loadReport
	if err := json.Unmarshal([]byte(answer), &report); err != nil {
		return loadReport{}, fmt.Errorf("report %q: %w", answer, err)
	}
	return report, nil
}

// stop ends both.
func (p *pair) stop() {
	if p.load != nil {
		p.load.stop()
	}
	p.server.stop()
}
