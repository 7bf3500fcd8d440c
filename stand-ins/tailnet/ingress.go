package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tailscale.com/client/local"
	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tsnet"
	"tailscale.com/types/logger"
)

// ingress is the entry of Funnel: it reads the name of a TLS connection and passes the connection unchanged to the node.
type ingress struct {
	config *Config
	// control gets the connections for the control server's names.
	control *handedListener
	node    *tsnet.Server
	status  *local.Client
}

// join makes the ingress a node of the tailnet.
func (i *ingress) join(authKey string) error {
	i.node = &tsnet.Server{
		Hostname:   "funnel-ingress",
		Dir:        i.config.State,
		ControlURL: "https://" + i.config.ControlHosts[0],
		AuthKey:    authKey,
		UserLogf:   log.Printf,
		Logf:       logger.Discard,
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := i.node.Up(ctx); err != nil {
		return err
	}
	var err error
	i.status, err = i.node.LocalClient()
	return err
}

func (i *ingress) accept(listener net.Listener, port string) {
	for {
		conn, err := listener.Accept()
		must(err)
		go i.dispatch(conn, port)
	}
}

func (i *ingress) dispatch(conn net.Conn, port string) {
	name, opened, err := serverName(conn)
	if err != nil {
		conn.Close()
		return
	}
	if slices.Contains(i.config.ControlHosts, name) {
		i.control.connections <- opened
		return
	}
	defer conn.Close()
	if err := i.pass(opened, name, port); err != nil {
		log.Printf("connection for %s:%s: %v", name, port, err)
	}
}

// pass hands the connection to the node of that name over its peer API.
func (i *ingress) pass(conn net.Conn, name, port string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if i.status == nil {
		return errors.New("not ready yet")
	}
	status, err := i.status.Status(ctx)
	if err != nil {
		return err
	}
	api, err := peerAPI(status, name)
	if err != nil {
		return err
	}
	node, err := i.node.Dial(ctx, "tcp", api)
	if err != nil {
		return err
	}
	defer node.Close()
	fmt.Fprintf(node, "POST /v0/ingress HTTP/1.1\r\nHost: %s\r\nTailscale-Ingress-Src: %s\r\nTailscale-Ingress-Target: %s:%s\r\n\r\n",
		api, conn.RemoteAddr(), name, port)
	answers := bufio.NewReader(node)
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the node says %s", response.Status)
	}
	done := make(chan struct{}, 2)
	go func() { io.Copy(node, conn); done <- struct{}{} }()
	go func() { io.Copy(conn, answers); done <- struct{}{} }()
	<-done
	return nil
}

func peerAPI(status *ipnstate.Status, name string) (string, error) {
	for _, peer := range status.Peer {
		if peer.DNSName != name+"." {
			continue
		}
		for _, text := range peer.PeerAPIURL {
			if found, err := url.Parse(text); err == nil {
				return found.Host, nil
			}
		}
		return "", errors.New("the node has no peer API")
	}
	return "", errors.New("no such node")
}

var errSeen = errors.New("the name is known")

// serverName reads the name from a TLS connection's first message; the returned connection starts with that message.
func serverName(conn net.Conn) (string, net.Conn, error) {
	var read bytes.Buffer
	var name string
	config := &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		name = hello.ServerName
		return nil, errSeen
	}}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	err := tls.Server(readOnly{conn, io.TeeReader(conn, &read)}, config).Handshake()
	conn.SetReadDeadline(time.Time{})
	if !errors.Is(err, errSeen) {
		return "", nil, fmt.Errorf("no TLS: %w", err)
	}
	return name, reread{conn, io.MultiReader(&read, conn)}, nil
}

// readOnly keeps the TLS alert of the aborted handshake from the client.
type readOnly struct {
	net.Conn
	from io.Reader
}

func (c readOnly) Read(p []byte) (int, error)  { return c.from.Read(p) }
func (c readOnly) Write(p []byte) (int, error) { return 0, io.ErrClosedPipe }

type reread struct {
	net.Conn
	from io.Reader
}

func (c reread) Read(p []byte) (int, error) { return c.from.Read(p) }

// handedListener is a net.Listener that gets its connections from the program.
type handedListener struct{ connections chan net.Conn }

func newHandedListener() *handedListener { return &handedListener{make(chan net.Conn)} }

func (l *handedListener) Accept() (net.Conn, error) { return <-l.connections, nil }
func (l *handedListener) Close() error              { return nil }
func (l *handedListener) Addr() net.Addr            { return &net.TCPAddr{} }
