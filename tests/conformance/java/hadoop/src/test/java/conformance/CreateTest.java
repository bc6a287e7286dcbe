// SPDX-License-Identifier: Apache-2.0
package conformance;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractCreateTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;

public class CreateTest extends AbstractContractCreateTest {
	@Override
	protected AbstractFSContract createContract(Configuration configuration) {
		return new OssContract(configuration);
	}
}
