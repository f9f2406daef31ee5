// Package pgdial connects a PostgreSQL driver, github.com/jackc/pgx/v5, so that a connection can be used
// directly by a task.
//
//	config, err := pgx.ParseConfig("postgres://user@db.example/app")
//	...
//	config.DialFunc = pgdial.Dial
//	config.LookupFunc = net.DefaultResolver.LookupHost
//	conn, err := pgx.ConnectConfig(ctx, config)
//	...
//	err = conn.QueryRow(ctx, "select 1").Scan(&n) // parks the task
//
// # Why a connection of package net does not do
//
// When a write of pgx takes more than 15 ms, it fears that the server does not read before somebody reads
// its answers, and reads them with a goroutine in the background. Its next own read then waits for that
// goroutine by a sync.Cond. In a task this blocks the worker, for as long as the query takes; and for ever,
// if this worker is the one that would tell the goroutine that the connection is readable.
//
// A Conn of this package does the same in the way of tasks: while a write takes long, a task reads, and what
// it has read is kept for the next reads. The background read of pgx ends at once, with a timeout, upon which
// pgx does without.
//
// And when runtime.WithTimeout interrupts a query, pgx would go on to wait for its end. A Conn makes it close the
// connection, as the end of a context and a kill do.
//
// # Limits
//
// One task, or goroutine, uses a connection at a time, as pgx wants it anyway. What pgx itself does with
// goroutines and channels still belongs in runtime.Offload: CopyFrom, its pool's Acquire, and package stdlib
// (database/sql); docs/guide.md has the list. Such a call may use the same connection.
package pgdial

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// Dial connects as net.Dialer's DialContext does, and returns a *Conn. It is a pgconn.DialFunc. It parks, and
// may be called from any task or goroutine. Set a time limit by ctx, or make a dialer of your own and New.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return New(c), nil
}

// slow is how long a write may take before somebody reads: less than pgx has patience for.
const slow = 10 * time.Millisecond

// A Conn is a connection whose Write, from a task, does not rely on the peer to read it all before it is read
// from. One task or goroutine may read and write it at a time. Make one with New or Dial. Its other methods
// are those of the connection it is made of.
type Conn struct {
	net.Conn

	early []byte // what was read during a write; the caller of Read or Write owns it

	// pending: a task has written, and nobody has read since. Whoever reads now on a goroutine does so in the
	// background of that task.
	pending atomic.Bool
}

// New makes a Conn of a connection of package net. It does not park.
func New(c net.Conn) *Conn { return &Conn{Conn: c} }

// Write writes p, as the connection's own Write does: it parks a task, and blocks a goroutine. In a task that
// parks for long it reads meanwhile, without a bound, and keeps what comes for Read.
func (c *Conn) Write(p []byte) (int, error) {
	if runtime.Current() == nil {
		c.pending.Store(false)
		return c.Conn.Write(p)
	}
	c.pending.Store(true)
	reader := runtime.SpawnAfter(slow, c.readEarly)
	// Reader and writer are tasks of one worker, so early needs no lock; but the reader must have left Read
	// when the next one comes.
	defer reader.KillWait(nil, 0)
	n, err := c.Conn.Write(p)
	return n, final(err)
}

// readEarly reads until it is killed. An error is left for the next Read, which meets it again.
func (c *Conn) readEarly() {
	for buf := make([]byte, 32<<10); ; {
		n, err := c.Conn.Read(buf)
		c.early = append(c.early, buf[:n]...)
		if err != nil {
			return
		}
	}
}

// Read reads, first what has come during a write. It parks a task, and blocks a goroutine; but on a goroutine
// it returns os.ErrDeadlineExceeded at once when a task has written and is yet to read the answer.
func (c *Conn) Read(p []byte) (int, error) {
	if runtime.Current() != nil {
		c.pending.Store(false)
	} else if c.pending.Load() {
		return 0, os.ErrDeadlineExceeded
	}
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	return n, final(err)
}

// final makes the end of a runtime.WithTimeout an error that is no net.Error. After one whose Timeout reports
// true, which is what its own contexts lead to, pgx reads on; but nothing would interrupt it again.
func final(err error) error {
	var timeout *runtime.Timeout
	if errors.As(err, &timeout) {
		return interrupted{err}
	}
	return err
}

// interrupted is an error that is found by errors.Is, but not by errors.As.
type interrupted struct{ error }

func (e interrupted) Is(target error) bool { return errors.Is(e.error, target) }
