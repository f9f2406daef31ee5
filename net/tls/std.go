package tls

import "crypto/tls"

// The standard library's own types, which do no I/O.
type (
	AlertError                   = tls.AlertError
	Certificate                  = tls.Certificate
	CertificateRequestInfo       = tls.CertificateRequestInfo
	CertificateVerificationError = tls.CertificateVerificationError
	CipherSuite                  = tls.CipherSuite
	ClientAuthType               = tls.ClientAuthType
	ClientHelloInfo              = tls.ClientHelloInfo
	ClientSessionCache           = tls.ClientSessionCache
	ClientSessionState           = tls.ClientSessionState
	Config                       = tls.Config
	ConnectionState              = tls.ConnectionState
	CurveID                      = tls.CurveID
	ECHRejectionError            = tls.ECHRejectionError
	EncryptedClientHelloKey      = tls.EncryptedClientHelloKey
	QUICConfig                   = tls.QUICConfig
	QUICConn                     = tls.QUICConn
	QUICEncryptionLevel          = tls.QUICEncryptionLevel
	QUICEvent                    = tls.QUICEvent
	QUICEventKind                = tls.QUICEventKind
	QUICSessionTicketOptions     = tls.QUICSessionTicketOptions
	RecordHeaderError            = tls.RecordHeaderError
	RenegotiationSupport         = tls.RenegotiationSupport
	SessionState                 = tls.SessionState
	SignatureScheme              = tls.SignatureScheme
)

// CipherSuiteName is the standard library's own.
func CipherSuiteName(id uint16) string { return tls.CipherSuiteName(id) }

// CipherSuites is the standard library's own.
func CipherSuites() []*CipherSuite { return tls.CipherSuites() }

// InsecureCipherSuites is the standard library's own.
func InsecureCipherSuites() []*CipherSuite { return tls.InsecureCipherSuites() }

// LoadX509KeyPair is the standard library's own. It reads files, and so blocks the
// calling thread: a server that is running calls it in runtime.Offload.
func LoadX509KeyPair(certFile, keyFile string) (Certificate, error) {
	return tls.LoadX509KeyPair(certFile, keyFile)
}

// NewLRUClientSessionCache is the standard library's own. Tasks may share one.
func NewLRUClientSessionCache(capacity int) ClientSessionCache {
	return tls.NewLRUClientSessionCache(capacity)
}

// NewResumptionState is the standard library's own.
func NewResumptionState(ticket []byte, state *SessionState) (*ClientSessionState, error) {
	return tls.NewResumptionState(ticket, state)
}

// ParseSessionState is the standard library's own.
func ParseSessionState(data []byte) (*SessionState, error) { return tls.ParseSessionState(data) }

// QUICClient is the standard library's own.
func QUICClient(config *QUICConfig) *QUICConn { return tls.QUICClient(config) }

// QUICServer is the standard library's own.
func QUICServer(config *QUICConfig) *QUICConn { return tls.QUICServer(config) }

// VersionName is the standard library's own.
func VersionName(version uint16) string { return tls.VersionName(version) }

// X509KeyPair is the standard library's own.
func X509KeyPair(certPEMBlock, keyPEMBlock []byte) (Certificate, error) {
	return tls.X509KeyPair(certPEMBlock, keyPEMBlock)
}
