package cluster

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A publisher sends messages to streams until they are acknowledged: again, under the same
// number, when nobody answers, since the server that had it may have died. The servers know a
// number that they have had within the last two minutes.
type publisher struct {
	nc    *nats.Conn
	inbox string // where acknowledgements go, followed by a token
	sub   *nats.Subscription
	stop  chan struct{}

	mu      sync.Mutex // held for a few instructions
	pending map[string]*publication
	last    uint64
	closed  error // mu guards these
}

// A publication is one message to a stream.
type publication struct {
	subject string
	id      string // by which the servers tell that they have it
	header  nats.Header
	data    []byte

	// then is called once, with nil when the cluster has the message. It must not wait.
	then func(error)
	// absent is called when no stream takes the message, and says why, or returns nil if that
	// may be over soon. It may block. If it is nil that is always so.
	absent func() error

	token string    // mu guards this and the rest
	due   time.Time // to be sent again; zero while absent is being called
}

const (
	answerPatience = 2 * time.Second        // then a message is sent again
	retryAfter     = 100 * time.Millisecond // after an answer that says: not now
	retryCheck     = 50 * time.Millisecond
)

func newPublisher(nc *nats.Conn) (*publisher, error) {
	p := &publisher{nc: nc, inbox: nc.NewInbox() + ".", stop: make(chan struct{}), pending: make(map[string]*publication)}
	var err error
	if p.sub, err = nc.Subscribe(p.inbox+"*", p.hear); err != nil {
		return nil, err
	}
	if err := p.sub.SetPendingLimits(-1, -1); err != nil {
		return nil, err
	}
	go p.sendAgain()
	return p, nil
}

// send sends a message. It may block for the network: tasks use Cluster.post.
func (p *publisher) send(m *publication) {
	if m.header == nil {
		m.header = make(nats.Header, 1)
	}
	m.header[nats.MsgIdHdr] = []string{m.id}
	p.mu.Lock()
	if p.closed != nil {
		err := p.closed
		p.mu.Unlock()
		m.then(err)
		return
	}
	p.last++
	m.token = strconv.FormatUint(p.last, 36)
	m.due = time.Now().Add(answerPatience)
	p.pending[m.token] = m
	p.mu.Unlock()
	p.write(m)
}

func (p *publisher) write(m *publication) {
	err := p.nc.PublishMsg(&nats.Msg{Subject: m.subject, Reply: p.inbox + m.token, Header: m.header, Data: m.data})
	switch {
	case err == nil || errors.Is(err, nats.ErrConnectionClosed):
	case transient(err):
		p.later(m.token)
	default:
		p.finish(m.token, err)
	}
}

// finish ends a publication.
func (p *publisher) finish(token string, err error) {
	p.mu.Lock()
	m := p.pending[token]
	delete(p.pending, token)
	p.mu.Unlock()
	if m != nil {
		m.then(err)
	}
}

// hear gets the answers.
func (p *publisher) hear(msg *nats.Msg) {
	token := strings.TrimPrefix(msg.Subject, p.inbox)
	var answer struct {
		Stream string              `json:"stream"`
		Error  *jetstream.APIError `json:"error"`
	}
	if len(msg.Data) == 0 && msg.Header.Get("Status") == "503" {
		p.nobody(token)
		return
	}
	switch err := json.Unmarshal(msg.Data, &answer); {
	case err != nil:
		p.finish(token, err)
	case answer.Error == nil && answer.Stream != "":
		p.finish(token, nil)
	case answer.Error == nil || transientAPI(answer.Error) && answer.Error.ErrorCode != codeStoreFailed:
		p.later(token)
	default:
		p.finish(token, answer.Error)
	}
}

// later makes a message be sent again soon.
func (p *publisher) later(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.pending[token]; m != nil {
		m.due = time.Now().Add(retryAfter)
	}
}

// nobody is called when no stream takes a message.
func (p *publisher) nobody(token string) {
	p.mu.Lock()
	m := p.pending[token]
	if m == nil || m.absent == nil {
		p.mu.Unlock()
		p.later(token)
		return
	}
	m.due = time.Time{}
	p.mu.Unlock()
	go func() {
		if err := m.absent(); err != nil {
			p.finish(token, err)
			return
		}
		p.later(token)
	}()
}

// sendAgain is a goroutine that sends what was not answered.
func (p *publisher) sendAgain() {
	tick := time.NewTicker(retryCheck)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		var late []*publication
		now := time.Now()
		p.mu.Lock()
		for _, m := range p.pending {
			if !m.due.IsZero() && now.After(m.due) {
				m.due = now.Add(answerPatience)
				late = append(late, m)
			}
		}
		p.mu.Unlock()
		for _, m := range late {
			p.write(m)
		}
	}
}

// forbidden ends the publications that the servers do not allow. Which ones these are, only the text
// of the error has: the subject, in quotes.
func (p *publisher) forbidden(err error) {
	text := err.Error()
	p.fail(err, func(m *publication) bool { return strings.Contains(text, strconv.Quote(m.subject)) })
}

// fail ends publications with an error.
func (p *publisher) fail(err error, which func(*publication) bool) {
	var failed []*publication
	p.mu.Lock()
	for token, m := range p.pending {
		if which(m) {
			failed = append(failed, m)
			delete(p.pending, token)
		}
	}
	p.mu.Unlock()
	for _, m := range failed {
		m.then(err)
	}
}

// close ends the publisher.
func (p *publisher) close() {
	p.mu.Lock()
	p.closed = ErrClosed
	p.mu.Unlock()
	close(p.stop)
	_ = p.sub.Unsubscribe()
	p.fail(ErrClosed, func(*publication) bool { return true })
}
