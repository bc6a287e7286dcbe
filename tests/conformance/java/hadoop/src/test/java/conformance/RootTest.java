// SPDX-License-Identifier: Apache-2.0
package conformance;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractRootDirectoryTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;

public class RootTest extends AbstractContractRootDirectoryTest {
	@Override
	protected AbstractFSContract createContract(Configuration configuration) {
		return new OssContract(configuration);
	}
}
