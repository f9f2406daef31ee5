package tls_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// forger writes TLS 1.3 records in the name of a client whose key log it has, since
// crypto/tls never asks for new keys itself. The client must not write any more.
type forger struct {
	hash   func() hash.Hash
	keyLen int
	secret []byte
	seq    uint64
	key    cipher.AEAD
	iv     []byte
}

// newForger finds the secret of c in its key log.
func newForger(t *testing.T, log string, c secured) *forger {
	t.Helper()
	f := new(forger)
	switch suite := c.ConnectionState().CipherSuite; suite {
	case tls.TLS_AES_128_GCM_SHA256:
		f.hash, f.keyLen = sha256.New, 16
	case tls.TLS_AES_256_GCM_SHA384:
		f.hash, f.keyLen = sha512.New384, 32
	default:
		t.Skipf("SKIP: no forger for %s, which is chosen without AES in hardware", tls.CipherSuiteName(suite))
	}
	for line := range strings.Lines(log) {
		if fields := strings.Fields(line); fields[0] == "CLIENT_TRAFFIC_SECRET_0" {
			secret, err := hex.DecodeString(fields[2])
			if err != nil {
				t.Fatal(err)
			}
			f.use(secret)
			return f
		}
	}
	t.Fatal("no secret in the key log")
	return nil
}

// expand is HKDF-Expand-Label of RFC 8446 section 7.1 without a context.
func (f *forger) expand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(append(info, byte(len(label))), label...)
	out, err := hkdf.Expand(f.hash, secret, string(append(info, 0)), n)
	if err != nil {
		panic(err)
	}
	return out
}

func (f *forger) use(secret []byte) {
	block, err := aes.NewCipher(f.expand(secret, "key", f.keyLen))
	if err == nil {
		f.key, err = cipher.NewGCM(block)
	}
	if err != nil {
		panic(err)
	}
	f.secret, f.seq, f.iv = secret, 0, f.expand(secret, "iv", 12)
}

// The types of records.
const (
	typeHandshake = 22
	typeData      = 23
)

// record encrypts a record.
func (f *forger) record(typ byte, data []byte) []byte {
	nonce := bytes.Clone(f.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, f.seq) {
		nonce[len(nonce)-8+i] ^= b
	}
	f.seq++
	header := binary.BigEndian.AppendUint16([]byte{typeData, 3, 3}, uint16(len(data)+1+f.key.Overhead()))
	return f.key.Seal(header, nonce, append(bytes.Clone(data), typ), header)
}

// keyUpdate is a record that asks for new keys of the other side and ends the use of
// the present own ones (RFC 8446 section 4.6.3).
func (f *forger) keyUpdate() []byte {
	r := f.record(typeHandshake, []byte{24, 0, 0, 1, 1})
	f.use(f.expand(f.secret, "traffic upd", f.hash().Size()))
	return r
}

// forged returns a client, its server, and who writes in its name. The server sends
// no tickets.
func (n implementation) forged(t *testing.T) (c, s secured, f *forger) {
	t.Helper()
	var log bytes.Buffer
	client, server := clientConfig(), serverConfig()
	client.KeyLogWriter, client.MinVersion = &log, tls.VersionTLS13
	server.SessionTicketsDisabled = true
	c, s = n.connected(t, client, server)
	return c, s, newForger(t, log.String(), c)
}

// TestKeyUpdateIsAnswered: the answer is sent though the Read that made it goes on
// waiting for data.
func TestKeyUpdateIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		c, s, f := n.forged(t)
		join := n.start(func() {
			if got, err := io.ReadAll(s); string(got) != "hello" || err != io.ErrUnexpectedEOF && n.rt != nil {
				t.Errorf("read %q, %v", got, err)
			}
		})
		_ = c.NetConn().SetDeadline(time.Now().Add(runtimetest.Patience))
		for range 3 { // one after the other, each with other keys
			if _, err := c.NetConn().Write(f.keyUpdate()); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 5+5+1+16) // header, message, type, tag
			if _, err := io.ReadFull(c.NetConn(), answer); err != nil {
				t.Fatalf("no answer: %v", err)
			}
		}
		if _, err := c.NetConn().Write(f.record(typeData, []byte("hello"))); err != nil {
			t.Fatal(err)
		}
		_ = c.NetConn().Close()
		join()
	})
}

// TestKeyUpdateBesideWriter: a Read that has to answer does so while a Write of the
// same worker waits for the peer, and both go on. What is written from then on has the
// new keys.
func TestKeyUpdateBesideWriter(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, s, f := n.forged(t)
		content := pattern(16 << 20)
		writer := runtime.Spawn(func() {
			if m, err := s.Write(content); m != len(content) || err != nil {
				t.Errorf("wrote %d, %v", m, err)
			}
			_ = s.CloseWrite()
		})
		parked(t, n.rt, "descriptor writable", 1)
		for i := range 10 {
			want := fmt.Sprintf("message %d", i)
			if _, err := c.NetConn().Write(append(f.keyUpdate(), f.record(typeData, []byte(want))...)); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(s, got); err != nil || string(got) != want {
				t.Fatalf("read %q, %v", got, err)
			}
		}
		// The client's own reading side follows the server's keys.
		if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes have come, or others; %v", len(got), err)
		}
		_ = writer.Join()
	})
}

// TestKeyUpdateFlood: a peer that asks for keys all the time and reads nothing fills no
// memory: its requests end the connection, as in crypto/tls.
func TestKeyUpdateFlood(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, s, f := n.forged(t)
		writer := runtime.Spawn(func() { _, _ = s.Write(make([]byte, 32<<20)) })
		parked(t, n.rt, "descriptor writable", 1)
		var flood []byte
		for range 1000 {
			flood = append(flood, f.keyUpdate()...)
		}
		sender := runtime.Spawn(func() { _, _ = c.NetConn().Write(flood) })
		if _, err := s.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "too many") {
			t.Errorf("read: %v", err)
		}
		if q := tls.Queued(s.(*tls.Conn)); q > tls.MaxQueued {
			t.Errorf("%d bytes are queued", q)
		}
		_ = s.Close()
		_ = c.NetConn().Close()
		_ = runtime.JoinAll(writer, sender)
	})
}

// TestKeyUpdateFloodWithData: where data lie between the requests crypto/tls puts up
// with any number of them. The answers fill a bounded queue; then reads wait until the
// peer takes what is sent.
func TestKeyUpdateFloodWithData(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, s, f := n.forged(t)
		writer := runtime.Spawn(func() {
			if _, err := s.Write(make([]byte, 32<<20)); err != nil {
				t.Errorf("write: %v", err)
			}
		})
		parked(t, n.rt, "descriptor writable", 1)
		const answer = 5 + 5 + 1 + 16
		const updates = tls.MaxQueued/answer + 100
		most, received := 0, 0
		reader := runtime.Spawn(func() {
			for ; received < updates; received++ {
				if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
					t.Errorf("read: %v", err)
					return
				}
				most = max(most, tls.Queued(s.(*tls.Conn)))
			}
		})
		sender := runtime.Spawn(func() {
			for range updates {
				if _, err := c.NetConn().Write(append(f.keyUpdate(), f.record(typeData, []byte("x"))...)); err != nil {
					t.Errorf("the peer's write: %v", err)
					return
				}
			}
		})
		parked(t, n.rt, "lock", 1)
		if received == updates || tls.Queued(s.(*tls.Conn)) < tls.MaxQueued {
			t.Errorf("a Read waits after %d of %d", received, updates)
		}
		// crypto/tls would not put up with so many answers in a row.
		drain := runtime.Spawn(func() { _, _ = io.Copy(io.Discard, c.NetConn()) })
		_ = runtime.JoinAll(writer, reader, sender)
		if received != updates || most > tls.MaxQueued+answer {
			t.Errorf("%d of %d have come, up to %d bytes were queued", received, updates, most)
		}
		_ = s.Close()
		_ = drain.Join()
	})
}

// TestAlertBesideWriter: what is no TLS ends the Read with an error, and its alert
// waits for no Write of the same worker. The Write can still be ended.
func TestAlertBesideWriter(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, s := n.connected(t, clientConfig(), serverConfig())
		writer := runtime.Spawn(func() {
			if _, err := s.Write(make([]byte, 32<<20)); err == nil {
				t.Error("the write ends well")
			}
		})
		parked(t, n.rt, "descriptor writable", 1)
		if _, err := c.NetConn().Write([]byte("\x17\x03\x03\x00\x20 no record that anybody has made")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
			t.Errorf("read: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_ = writer.Join()
	})
}
