module @dynamic_slice_negative attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5xf32>, %arg1: tensor<1xi32>, %arg2: tensor<2xf32>) -> (tensor<2xf32>, tensor<5xf32>) {
    %0 = stablehlo.reshape %arg1 : (tensor<1xi32>) -> tensor<i32>
    %1 = stablehlo.dynamic_slice %arg0, %0, sizes = [2] : (tensor<5xf32>, tensor<i32>) -> tensor<2xf32>
    %2 = stablehlo.constant dense<0.0> : tensor<5xf32>
    %3 = stablehlo.dynamic_update_slice %2, %arg2, %0 : (tensor<5xf32>, tensor<2xf32>, tensor<i32>) -> tensor<5xf32>
    return %1, %3 : tensor<2xf32>, tensor<5xf32>
  }
}
