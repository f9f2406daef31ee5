package cluster

import (
	"context"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// A group is a number of jobs that were given at once.
type group struct {
	p    *pool
	name string
	jobs far.Jobs

	settled []bool // p.mu guards this and the rest
	left    int    // jobs whose result was not delivered
	flying  int    // messages that were not acknowledged
	dropped bool   // the jobs that are left are not to be done
}

// send sends the jobs of a group. It blocks while too many messages are on their way.
func (g *group) send() {
	p := g.p
	subject := jobSubject(p.name, p.id, g.name)
	for i := range g.settled {
		p.room <- struct{}{}
		p.mu.Lock()
		stop := g.dropped
		if !stop {
			g.flying++
		}
		p.mu.Unlock()
		if stop {
			<-p.room
			return
		}
		number := strconv.Itoa(i)
		p.c.out.send(&publication{
			subject: subject,
			id:      p.id + "." + g.name + "." + number,
			header:  nats.Header{headerFunc: {g.jobs.Func()}, headerJob: {number}},
			data:    g.jobs.Arg(i),
			then:    func(err error) { g.sent(i, err) },
			absent:  p.absent,
		})
	}
}

// sent is called when the servers have a job, or will not take it.
func (g *group) sent(i int, err error) {
	<-g.p.room
	g.p.mu.Lock()
	g.flying--
	purge := err == nil && g.dropped && g.flying == 0
	g.p.mu.Unlock()
	if err != nil {
		g.settle(i, nil, err)
	}
	if purge {
		g.p.purgeLater(g.name)
	}
}

// settle settles a job, unless it was: a job may be done more than once.
func (g *group) settle(i int, result []byte, err error) {
	p := g.p
	p.mu.Lock()
	if i < 0 || i >= len(g.settled) || g.settled[i] {
		p.mu.Unlock()
		return
	}
	g.settled[i] = true
	p.mu.Unlock()
	g.jobs.Deliver(i, result, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if g.left--; g.left == 0 {
		delete(p.groups, g.name)
		delete(p.byJobs, g.jobs)
	}
	p.endLocked() // not before the result is there
}

// fail settles the jobs that are left, and has them not be done.
func (g *group) fail(err error) {
	g.p.mu.Lock()
	g.dropped = true
	purge := g.flying == 0 && g.left > 0
	g.p.mu.Unlock()
	for i := range g.settled {
		g.settle(i, nil, err)
	}
	if purge {
		g.p.purgeLater(g.name)
	}
}

// purgeLater makes a group be purged. It does not wait.
func (p *pool) purgeLater(group string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return // all will be
	}
	if p.purges = append(p.purges, group); len(p.purges) == 1 {
		go p.purgeAll()
	}
}

// purgeAll purges groups, one after the other: there may be thousands.
func (p *pool) purgeAll() {
	p.purging.Lock()
	defer p.purging.Unlock()
	for {
		p.mu.Lock()
		if len(p.purges) == 0 {
			p.mu.Unlock()
			return
		}
		group := p.purges[0]
		p.mu.Unlock()
		err := p.purge(group)
		p.mu.Lock()
		p.purges = p.purges[1:]
		if err != nil || p.broken != nil {
			p.purges = nil
		}
		p.mu.Unlock()
	}
}

// purge takes jobs of a group, or of all with "*", that were not begun out of the stream. It
// blocks. What remains, if no server answers, is dropped by the workers.
func (p *pool) purge(group string) error {
	_, err := askUntil(p.c, time.Now().Add(endPatience), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.stream.Purge(ctx, jetstream.WithPurgeSubject(jobSubject(p.name, p.id, group)))
	})
	return err
}

// endPatience is how long servers have to answer what need not be done.
const endPatience = 3 * time.Second
