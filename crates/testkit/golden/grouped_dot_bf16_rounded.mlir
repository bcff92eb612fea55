module @grouped_dot_bf16_rounded attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<8x4xbf16>, %arg1: tensor<3x3x4xbf16>, %arg2: tensor<8x3xbf16>) -> (tensor<8x3xbf16>, tensor<8x4xbf16>, tensor<3x3x4xbf16>) {
    %0 = stablehlo.constant dense<6> : tensor<i32>
    %1 = stablehlo.iota dim = 0 : tensor<8xi32>
    %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<8xi32>
    %3 = stablehlo.compare LT, %1, %2, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
    %4 = stablehlo.constant dense<0.0> : tensor<bf16>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<bf16>) -> tensor<8x4xbf16>
    %6 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x4xi1>
    %7 = stablehlo.select %6, %arg0, %5 : tensor<8x4xi1>, tensor<8x4xbf16>
    %8 = stablehlo.constant dense<[2, 0, 2, 3]> : tensor<4xi32>
    %9 = stablehlo.constant dense<0> : tensor<i32>
    %10 = stablehlo.constant dense<1> : tensor<i32>
    %11 = stablehlo.constant dense<4> : tensor<i32>
    %12 = stablehlo.constant dense<0.0> : tensor<8x3xbf16>
    %13:2 = stablehlo.while(%14 = %9, %15 = %12) : tensor<i32>, tensor<8x3xbf16>
    cond {
      %16 = stablehlo.compare LT, %14, %11, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %16 : tensor<i1>
    } do {
    %17 = stablehlo.constant dense<2> : tensor<i32>
    %18 = stablehlo.multiply %14, %17 : tensor<i32>
    %19 = stablehlo.constant dense<0> : tensor<i32>
    %20 = stablehlo.dynamic_slice %7, %18, %19, sizes = [2, 4] : (tensor<8x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x4xbf16>
    %21 = stablehlo.dynamic_slice %8, %14, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %22 = stablehlo.reshape %21 : (tensor<1xi32>) -> tensor<i32>
    %23 = stablehlo.constant dense<2> : tensor<i32>
    %24 = stablehlo.minimum %22, %23 : tensor<i32>
    %25 = stablehlo.constant dense<0> : tensor<i32>
    %26 = stablehlo.dynamic_slice %arg1, %24, %25, %25, sizes = [1, 3, 4] : (tensor<3x3x4xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x4xbf16>
    %27 = stablehlo.reshape %26 : (tensor<1x3x4xbf16>) -> tensor<3x4xbf16>
    %28 = stablehlo.dot_general %20, %27, contracting_dims = [1] x [1] : (tensor<2x4xbf16>, tensor<3x4xbf16>) -> tensor<2x3xbf16>
    %29 = stablehlo.constant dense<0> : tensor<i32>
    %30 = stablehlo.dynamic_update_slice %15, %28, %18, %29 : (tensor<8x3xbf16>, tensor<2x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<8x3xbf16>
    %31 = stablehlo.add %14, %10 : tensor<i32>
    stablehlo.return %31, %30 : tensor<i32>, tensor<8x3xbf16>
    }
    %32 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<bf16>) -> tensor<8x3xbf16>
    %33 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x3xi1>
    %34 = stablehlo.select %33, %13#1, %32 : tensor<8x3xi1>, tensor<8x3xbf16>
    %35 = stablehlo.constant dense<0.0> : tensor<8x3xbf16>
    %36 = stablehlo.select %33, %arg2, %35 : tensor<8x3xi1>, tensor<8x3xbf16>
    %37 = stablehlo.constant dense<0> : tensor<i32>
    %38 = stablehlo.constant dense<1> : tensor<i32>
    %39 = stablehlo.constant dense<4> : tensor<i32>
    %40 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %41:2 = stablehlo.while(%42 = %37, %43 = %40) : tensor<i32>, tensor<8x4xbf16>
    cond {
      %44 = stablehlo.compare LT, %42, %39, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %44 : tensor<i1>
    } do {
    %45 = stablehlo.constant dense<2> : tensor<i32>
    %46 = stablehlo.multiply %42, %45 : tensor<i32>
    %47 = stablehlo.constant dense<0> : tensor<i32>
    %48 = stablehlo.dynamic_slice %36, %46, %47, sizes = [2, 3] : (tensor<8x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x3xbf16>
    %49 = stablehlo.dynamic_slice %8, %42, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %50 = stablehlo.reshape %49 : (tensor<1xi32>) -> tensor<i32>
    %51 = stablehlo.constant dense<2> : tensor<i32>
    %52 = stablehlo.minimum %50, %51 : tensor<i32>
    %53 = stablehlo.constant dense<0> : tensor<i32>
    %54 = stablehlo.dynamic_slice %arg1, %52, %53, %53, sizes = [1, 3, 4] : (tensor<3x3x4xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x4xbf16>
    %55 = stablehlo.reshape %54 : (tensor<1x3x4xbf16>) -> tensor<3x4xbf16>
    %56 = stablehlo.dot_general %48, %55, contracting_dims = [1] x [0] : (tensor<2x3xbf16>, tensor<3x4xbf16>) -> tensor<2x4xbf16>
    %57 = stablehlo.constant dense<0> : tensor<i32>
    %58 = stablehlo.dynamic_update_slice %43, %56, %46, %57 : (tensor<8x4xbf16>, tensor<2x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<8x4xbf16>
    %59 = stablehlo.add %42, %38 : tensor<i32>
    stablehlo.return %59, %58 : tensor<i32>, tensor<8x4xbf16>
    }
    %60 = stablehlo.constant dense<0> : tensor<i32>
    %61 = stablehlo.constant dense<1> : tensor<i32>
    %62 = stablehlo.constant dense<4> : tensor<i32>
    %63 = stablehlo.constant dense<0.0> : tensor<3x3x4xf32>
    %64:2 = stablehlo.while(%65 = %60, %66 = %63) : tensor<i32>, tensor<3x3x4xf32>
    cond {
      %67 = stablehlo.compare LT, %65, %62, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %67 : tensor<i1>
    } do {
    %68 = stablehlo.constant dense<2> : tensor<i32>
    %69 = stablehlo.multiply %65, %68 : tensor<i32>
    %70 = stablehlo.constant dense<0> : tensor<i32>
    %71 = stablehlo.dynamic_slice %36, %69, %70, sizes = [2, 3] : (tensor<8x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x3xbf16>
    %72 = stablehlo.constant dense<0> : tensor<i32>
    %73 = stablehlo.dynamic_slice %7, %69, %72, sizes = [2, 4] : (tensor<8x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x4xbf16>
    %74 = stablehlo.dot_general %71, %73, contracting_dims = [0] x [0] : (tensor<2x3xbf16>, tensor<2x4xbf16>) -> tensor<3x4xf32>
    %75 = stablehlo.reshape %74 : (tensor<3x4xf32>) -> tensor<1x3x4xf32>
    %76 = stablehlo.dynamic_slice %8, %65, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %77 = stablehlo.reshape %76 : (tensor<1xi32>) -> tensor<i32>
    %78 = stablehlo.constant dense<2> : tensor<i32>
    %79 = stablehlo.minimum %77, %78 : tensor<i32>
    %80 = stablehlo.constant dense<0> : tensor<i32>
    %81 = stablehlo.dynamic_slice %66, %79, %80, %80, sizes = [1, 3, 4] : (tensor<3x3x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x4xf32>
    %82 = stablehlo.add %81, %75 : tensor<1x3x4xf32>
    %83 = stablehlo.constant dense<0> : tensor<i32>
    %84 = stablehlo.dynamic_update_slice %66, %82, %79, %83, %83 : (tensor<3x3x4xf32>, tensor<1x3x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x3x4xf32>
    %85 = stablehlo.add %65, %61 : tensor<i32>
    stablehlo.return %85, %84 : tensor<i32>, tensor<3x3x4xf32>
    }
    %86 = stablehlo.convert %64#1 : (tensor<3x3x4xf32>) -> tensor<3x3x4xbf16>
    %87 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %88 = stablehlo.select %6, %41#1, %87 : tensor<8x4xi1>, tensor<8x4xbf16>
    return %34, %88, %86 : tensor<8x3xbf16>, tensor<8x4xbf16>, tensor<3x3x4xbf16>
  }
}
