// Package wire reads and writes the lines of an FTP control connection.
//
// It knows ends of line, the Telnet protocol underneath (RFC 854, RFC 1123
// section 4.1.2.12) and bounds, and nothing about commands or replies. Its
// input is any io.Reader, or bytes fed to it; there is no difference in what
// comes out, however the bytes are cut.
package wire
