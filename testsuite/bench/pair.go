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

// startPair starts the server of one side and connects conns connections to it.
func (b *bench) startPair(ctx context.Context, side string, conns int) (*pair, error) {
	server, err := b.startServer(ctx, side, conns)
	if err != nil {
		return nil, err
	}
	p := &pair{server: server}
	if err := p.connect(ctx, b.machine.load, conns); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// startServer starts a child that serves echo; its first line is the address.
func (b *bench) startServer(ctx context.Context, side string, conns int) (*child, error) {
	if side == referenceName {
		return b.reference.start(ctx, b.machine.server)
	}
	return startSelf(ctx, []int{b.machine.server}, childLimit, "-serve", side, "-conns", strconv.Itoa(conns))
}

// connect reads the server's address and starts the load child.
func (p *pair) connect(ctx context.Context, cpu, conns int) error {
	addr, err := p.server.line()
	if err != nil {
		return err
	}
	p.load, err = startSelf(ctx, []int{cpu}, childLimit, "-load", addr, "-conns", strconv.Itoa(conns))
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
