// SPDX-License-Identifier: Apache-2.0
package conformance;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractBondedFSContract;

/**
 * Where the file system is, and what it claims: an object store has no permissions, no times of
 * folders and no renaming in one step. STORE is the store's address; the name oss.test stands for
 * the bucket, as hadoop-aliyun takes every endpoint that is not Alibaba Cloud's for a CNAME.
 */
public class OssContract extends AbstractBondedFSContract {
	private static final String[] YES = {"supports-seek", "supports-seek-on-closed-file", "rejects-seek-past-eof",
			"is-case-sensitive",
			"supports-getfilestatus", "is-blobstore", "test.root-tests-enabled", "create-visibility-delayed",
			"supports-strict-exceptions"};
	private static final String[] NO = {"supports-append", "supports-atomic-directory-delete", "supports-atomic-rename",
			"supports-block-locality", "supports-concat", "supports-unix-permissions", "rename-creates-dest-dirs",
			"supports-settimes", "rename-returns-false-if-source-missing", "rename-returns-false-if-dest-exists",
			"supports-content-check", "supports-multipartuploader"};

	public OssContract(Configuration configuration) {
		super(configuration);
		configuration.set("fs.contract.test.fs.oss", "oss://hadoop/");
		configuration.set("fs.oss.impl", "org.apache.hadoop.fs.aliyun.oss.AliyunOSSFileSystem");
		configuration.set("fs.oss.endpoint", System.getenv("STORE").replace("127.0.0.1", "oss.test"));
		configuration.set("fs.oss.accessKeyId", System.getenv("KEY_ID"));
		configuration.set("fs.oss.accessKeySecret", System.getenv("KEY_SECRET"));
		configuration.setBoolean("fs.oss.connection.secure.enabled", false);
		configuration.set("fs.oss.buffer.dir", System.getProperty("java.io.tmpdir") + "/hadoop-oss");
		configuration.setInt("fs.oss.multipart.upload.size", 1 << 20);
		configuration.setInt("fs.contract.test.random-seek-count", 10);
		for (String option : YES)
			configuration.setBoolean("fs.contract." + option, true);
		for (String option : NO)
			configuration.setBoolean("fs.contract." + option, false);
	}

	@Override
	public String getScheme() {
		return "oss";
	}
}
