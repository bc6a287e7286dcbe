// SPDX-License-Identifier: Apache-2.0
package conformance;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import com.aliyun.oss.ClientBuilderConfiguration;
import com.aliyun.oss.OSS;
import com.aliyun.oss.OSSClientBuilder;
import com.aliyun.oss.OSSException;
import com.aliyun.oss.common.auth.CredentialsProvider;
import com.aliyun.oss.common.auth.DefaultCredentialProvider;
import com.aliyun.oss.common.comm.SignVersion;
import com.aliyun.oss.model.OSSObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.rules.Timeout;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** A test that runs with signatures of V1 and of V4, with a bucket of its own. */
@RunWith(Parameterized.class)
public abstract class Case {
	static final String STORE = System.getenv("STORE");
	static final String OPERATIONS = System.getenv("OPERATIONS");
	static final String KEY_ID = System.getenv("KEY_ID");
	static final String KEY_SECRET = System.getenv("KEY_SECRET");
	static final String[] NAMES = {"plain", "a b+c%2F&=", "中文/é", "(x)!*'~", "a//double", "tab\tand\nline"};
	private static final AtomicInteger count = new AtomicInteger();

	/** A test that waits for ever fails. */
	@Rule
	public Timeout limit = Timeout.seconds(300);

	@Parameters(name = "{0}")
	public static Object[] signatures() {
		return new Object[] {SignVersion.V1, SignVersion.V4};
	}

	@Parameter
	public SignVersion version;
	OSS oss;
	String bucket;

	@Before
	public void open() {
		oss = client(new DefaultCredentialProvider(KEY_ID, KEY_SECRET));
		bucket = "java-" + count.incrementAndGet();
		oss.createBucket(bucket);
	}

	@After
	public void close() {
		oss.shutdown();
	}

	OSS client(CredentialsProvider credentials) {
		ClientBuilderConfiguration configuration = new ClientBuilderConfiguration();
		configuration.setSignatureVersion(version);
		configuration.setSLDEnabled(true);
		configuration.setMaxErrorRetry(0);
		return OSSClientBuilder.create().endpoint(STORE).credentialsProvider(credentials)
				.clientConfiguration(configuration).region("cn-hangzhou").build();
	}

	/** The SDK leaves it to its user to decode names in what it reads. */
	static List<String> decoded(List<String> names) {
		return names.stream().map(name -> URLDecoder.decode(name, StandardCharsets.UTF_8)).collect(Collectors.toList());
	}

	static byte[] bytes(int size) {
		byte[] made = new byte[size];
		for (int i = 0; i < size; i++)
			made[i] = (byte) (i * 31 + (i >> 8));
		return made;
	}

	static InputStream stream(String text) {
		return stream(text.getBytes(StandardCharsets.UTF_8));
	}

	static InputStream stream(byte[] content) {
		return new ByteArrayInputStream(content);
	}

	void put(String key, String text) {
		oss.putObject(bucket, key, stream(text));
	}

	byte[] get(String key) throws IOException {
		try (OSSObject object = oss.getObject(bucket, key)) {
			return object.getObjectContent().readAllBytes();
		}
	}

	String text(String key) throws IOException {
		return new String(get(key), StandardCharsets.UTF_8);
	}

	static OSSException refused(String code, org.junit.function.ThrowingRunnable call) {
		OSSException got = assertThrows(OSSException.class, call);
		assertEquals(code, got.getErrorCode());
		return got;
	}
}
