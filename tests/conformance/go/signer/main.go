// SPDX-License-Identifier: Apache-2.0

// What alibabacloud-oss-go-sdk-v2 signs: a request a line, as JSON, in and out.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/signer"
)

type asked struct {
	Version string // "V1" or "V4"
	InURL   bool
	Method  string
	URL     string
	Headers map[string]string
	Bucket  string
	Key     string
	Region  string
	More    []string // headers that V4 signs besides
	ID      string
	Secret  string
}

type signed struct {
	Target  string
	Headers map[string]string
}

func sign(a asked) (signed, error) {
	request, err := http.NewRequest(a.Method, a.URL, nil)
	if err != nil {
		return signed{}, err
	}
	for name, value := range a.Headers {
		request.Header.Set(name, value)
	}
	product := "oss"
	signing := signer.SigningContext{Product: &product, Region: &a.Region, Bucket: &a.Bucket, Key: &a.Key,
		Request: request, AdditionalHeaders: a.More, AuthMethodQuery: a.InURL,
		Credentials: &credentials.Credentials{AccessKeyID: a.ID, AccessKeySecret: a.Secret}}
	var with signer.Signer = &signer.SignerV4{}
	if a.Version == "V1" {
		with = &signer.SignerV1{}
	}
	if err := with.Sign(context.Background(), &signing); err != nil {
		return signed{}, err
	}
	headers := make(map[string]string)
	for name := range request.Header {
		headers[name] = request.Header.Get(name)
	}
	return signed{request.URL.RequestURI(), headers}, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var a asked
		err := json.Unmarshal(lines.Bytes(), &a)
		var s signed
		if err == nil {
			s, err = sign(a)
		}
		if err == nil {
			err = answers.Encode(s)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
