package net_test

import (
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is a DNS server for a Resolver's Dial, on loopback.
type nameServer struct {
	t     testing.TB
	l     stdnet.Listener
	close func()

	mu      sync.Mutex
	records map[string][]string // by "type name."; an address is of A or AAAA by its form
	asked   []string            // the questions so far
	held    chan struct{}       // if not nil, answers wait until it is closed
	serving sync.WaitGroup
}

// serveNames starts a name server for the rest of the test.
func serveNames(t testing.TB, records map[string][]string) *nameServer {
	t.Helper()
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{t: t, l: l, records: records}
	stop := make(chan struct{})
	s.serving.Add(1)
	go func() {
		defer s.serving.Done()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.serving.Add(1)
			go func() {
				defer s.serving.Done()
				done := make(chan struct{})
				defer close(done)
				s.serving.Add(1)
				go func() {
					defer s.serving.Done()
					select {
					case <-stop:
					case <-done:
					}
					_ = conn.Close()
				}()
				s.serve(conn, stop)
			}()
		}
	}()
	s.close = sync.OnceFunc(func() {
		close(stop)
		_ = l.Close()
		s.serving.Wait()
	})
	t.Cleanup(s.close)
	return s
}

// Dial is a Resolver's.
func (s *nameServer) Dial(ctx context.Context, _, _ string) (stdnet.Conn, error) {
	var d stdnet.Dialer
	return d.DialContext(ctx, "tcp", s.l.Addr().String())
}

// resolver returns a Resolver of ours that asks s.
func (s *nameServer) resolver() *net.Resolver { return &net.Resolver{PreferGo: true, Dial: s.Dial} }

// std is resolver for the standard library's.
func (s *nameServer) std() *stdnet.Resolver { return &stdnet.Resolver{PreferGo: true, Dial: s.Dial} }

// hold makes answers wait until release is called.
func (s *nameServer) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := make(chan struct{})
	s.held = held
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.held = nil
		s.mu.Unlock()
		close(held)
	})
}

// set changes the records of a question.
func (s *nameServer) set(question string, answers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[question] = answers
}

// count returns how often a question was asked.
func (s *nameServer) count(question string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if a == question {
			n++
		}
	}
	return n
}

// serve answers the questions of a connection, each with its length before it.
func (s *nameServer) serve(conn stdnet.Conn, stop <-chan struct{}) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
			s.t.Errorf("query: %v", err)
			return
		}
		q := m.Questions[0]
		key := strings.ToLower(strings.TrimPrefix(q.Type.String(), "Type") + " " + q.Name.String())
		s.mu.Lock()
		s.asked = append(s.asked, key)
		held := s.held
		answers, known := s.records[key]
		answers = slices.Clone(answers)
		s.mu.Unlock()
		if held != nil {
			select {
			case <-held:
			case <-stop:
				return
			}
		}
		reply := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, Authoritative: true},
			Questions: m.Questions,
		}
		if !known && !s.knows(q.Name.String()) {
			reply.RCode = dnsmessage.RCodeNameError
		}
		for _, a := range answers {
			reply.Answers = append(reply.Answers, resource(s.t, q, a))
		}
		packed, err := reply.Pack()
		if err != nil {
			s.t.Error(err)
			return
		}
		binary.BigEndian.PutUint16(size[:], uint16(len(packed)))
		if _, err := conn.Write(append(size[:], packed...)); err != nil {
			return
		}
	}
}

// knows reports whether there is any record of name.
func (s *nameServer) knows(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.records {
		if _, of, _ := strings.Cut(key, " "); of == strings.ToLower(name) {
			return true
		}
	}
	return false
}

func resource(t testing.TB, q dnsmessage.Question, answer string) dnsmessage.Resource {
	name := func(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }
	r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}}
	switch q.Type {
	case dnsmessage.TypeA:
		r.Body = &dnsmessage.AResource{A: netip.MustParseAddr(answer).As4()}
	case dnsmessage.TypeAAAA:
		r.Body = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(answer).As16()}
	case dnsmessage.TypeTXT:
		r.Body = &dnsmessage.TXTResource{TXT: []string{answer}}
	case dnsmessage.TypeMX:
		r.Body = &dnsmessage.MXResource{Pref: 10, MX: name(answer)}
	case dnsmessage.TypeNS:
		r.Body = &dnsmessage.NSResource{NS: name(answer)}
	case dnsmessage.TypeSRV:
		r.Body = &dnsmessage.SRVResource{Priority: 1, Weight: 1, Port: 99, Target: name(answer)}
	case dnsmessage.TypePTR:
		r.Body = &dnsmessage.PTRResource{PTR: name(answer)}
	case dnsmessage.TypeCNAME:
		r.Body = &dnsmessage.CNAMEResource{CNAME: name(answer)}
	default:
		t.Errorf("question of type %v", q.Type)
	}
	return r
}
